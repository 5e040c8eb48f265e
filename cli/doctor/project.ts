import { plural } from '../words.ts';
import type { Check, Finding } from './finding.ts';

/** Specs and workflows load, and every secret that is named is there. */
export const project: Check = {
  of: 'project',
  async look(at) {
    const { specs, workflowModules } = await at.project();
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

export const secrets: Check = {
  of: 'secrets',
  async look({ settings }) {
    const { readSecret } = await import('../../workers/config.ts');
    const tokens = Object.values(settings.connections).flatMap((each) => (each.kind === 'http' && each.token ? [each.token] : []));
    const { encryption, signing } = settings.security;
    const named = [...tokens, ...Object.values(encryption?.keys ?? {}), ...(signing?.key ? [signing.key] : [])];
    const missing: Finding[] = [];
    for (const reference of named) {
      await readSecret(reference).catch((error: Error) =>
        missing.push({ of: 'secrets', state: 'doubtful', found: error.message, cure: 'set it where the worker runs; it need not be here' }),
      );
    }
    return missing.length > 0 ? missing : [{ of: 'secrets', state: 'well', found: `${plural(named.length, 'secret')} named, all of them there` }];
  },
};
