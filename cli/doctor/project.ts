import { plural } from '../words.ts';
import type { Check, Finding } from './finding.ts';

/** Specs, workflows and steps load. */
export const project: Check = {
  of: 'project',
  async look(at) {
    const { specs, workflowModules, stepModules } = await at.project();
    const { loadModule } = await import('../../workers/load-module.ts');
    for (const module of [...workflowModules, ...stepModules]) await loadModule(module);
    return [
      {
        of: 'project',
        state: specs.size > 0 ? 'well' : 'doubtful',
        found: `${plural(specs.size, 'model')} in ${at.settings.pipelines}, ${plural(workflowModules.length, 'module')} of workflows`,
        ...(specs.size === 0 && { cure: 'write one, as docs/first-model.md tells, or start with `perennial init`' }),
      },
    ];
  },
};

/** Every secret that is named is there, and the keys among them are keys. */
export const secrets: Check = {
  of: 'secrets',
  async look(at) {
    const { connections, security, openLineage } = at.settings;
    const [{ readSecret }, { readSigningKey }, { identitiesOf }, { pseudonymsBy }, { placeOf }] = await Promise.all([
      import('../../workers/config.ts'),
      import('../../workers/signing.ts'),
      import('../../data/sources/age.ts'),
      import('../../data/sources/pseudonym.ts'),
      import('../../data/secret.ts'),
    ]);
    const tokens = Object.values(connections).flatMap((each) => (each.kind === 'http' && each.token ? [each.token] : []));
    if (openLineage && 'url' in openLineage && openLineage.token) tokens.push(openLineage.token);
    const { encryption, signing } = security;
    const named = [...tokens, ...Object.values(encryption?.keys ?? {}), ...(signing?.key ? [signing.key] : [])];
    const ofSources = Object.values(connections).flatMap((each) =>
      each.kind === 'folder' ? [[each.identity, identitiesOf] as const, [each.pseudonymKey, pseudonymsBy] as const] : [],
    );
    named.push(...ofSources.flatMap(([reference]) => reference ?? []));
    const missing: Finding[] = [];
    for (const reference of named) {
      await readSecret(reference).catch((error: Error) =>
        missing.push({ of: 'secrets', state: 'doubtful', found: error.message, cure: 'set it where the worker runs; it need not be here' }),
      );
    }
    if (missing.length > 0) return missing;
    if (signing?.key) await readSigningKey(signing.key);
    await at.cipher();
    for (const [reference, parse] of ofSources) if (reference) parse(await readSecret(reference), placeOf(reference));
    return [{ of: 'secrets', state: 'well', found: `${plural(named.length, 'secret')} named, all of them there` }];
  },
};
