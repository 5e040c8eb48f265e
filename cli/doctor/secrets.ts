import { type SecretReference, splitFrom } from '../../core/connection.ts';
import { MlError } from '../../core/errors.ts';
import { storedModels } from '../known-models.ts';
import { namesText, plural } from '../words.ts';
import type { Workplace } from '../workplace.ts';
import type { Check, Finding } from './finding.ts';

/** A secret that the configuration names. */
interface Named {
  readonly reference: SecretReference;
  /** The connection that it opens; without one every worker needs it. */
  readonly connection?: string;
  /** Throws where the secret is not what it has to be. */
  readonly parse?: (secret: string, place: string) => unknown;
}

/**
 * Every secret that is named is there, and the keys among them are keys. One that is missing is doubtful where a model that was applied or trained here
 * needs it, and else only told: a project may hold pipelines for several places, each of which has secrets of its own.
 */
export const secrets: Check = {
  of: 'secrets',
  async look(at) {
    const [{ readSecret }, { placeOf }] = await Promise.all([import('../../workers/config.ts'), import('../../data/secret.ts')]);
    const named = await namedSecrets(at);
    const missing: Named[] = [];
    for (const each of named) {
      try {
        const secret = await readSecret(each.reference);
        each.parse?.(secret, placeOf(each.reference));
      } catch (error) {
        if (!(error instanceof MlError) || error.code !== 'SecretMissing') throw error;
        missing.push(each);
      }
    }
    // Reads all of its keys at once.
    if (missing.every(({ connection }) => connection !== undefined)) await at.cipher();
    if (missing.length === 0) return [{ of: 'secrets', state: 'well', found: `${plural(named.length, 'secret')} named, all of them there` }];
    const { specs } = await at.project();
    // What is wrong with the store is told by its own check.
    const used = await storedModels(at).catch(() => [...specs.keys()]);
    return missing.map(({ reference, connection }) => {
      const found = `nothing can be read from ${placeOf(reference)}`;
      const readers = [...specs.values()].filter(({ sources }) =>
        Object.values(sources).some(({ from }) => splitFrom(from).connection === connection),
      );
      return connection === undefined
        ? missed(found)
        : missedBy(
            found,
            readers.map(({ name }) => name),
            used,
          );
    });
  },
};

const missed = (found: string): Finding => ({
  of: 'secrets',
  state: 'doubtful',
  found,
  cure: 'set it where the worker runs; it need not be here',
});

function missedBy(found: string, readers: readonly string[], used: readonly string[]): Finding {
  const needing = readers.filter((name) => used.includes(name));
  if (needing.length > 0) return missed(`${found}, which is needed for ${namesText(needing)}`);
  return {
    of: 'secrets',
    state: 'unseen',
    found: `${found}: ${readers.length === 0 ? 'no model needs it' : `${namesText(readers)} will need it, once applied or trained here`}`,
  };
}

async function namedSecrets({ settings: { connections, security, openLineage } }: Workplace): Promise<readonly Named[]> {
  const [{ signingKey }, { identitiesOf }, { pseudonymsBy }] = await Promise.all([
    import('../../signing/keys.ts'),
    import('../../data/sources/age.ts'),
    import('../../data/sources/pseudonym.ts'),
  ]);
  const ofConnections = Object.entries(connections).flatMap(([connection, each]): readonly Named[] => {
    if (each.kind === 'http') return each.token ? [{ reference: each.token, connection }] : [];
    const { identity, pseudonymKey } = each;
    return [
      ...(identity ? [{ reference: identity, connection, parse: identitiesOf }] : []),
      ...(pseudonymKey ? [{ reference: pseudonymKey, connection, parse: pseudonymsBy }] : []),
    ];
  });
  const token = openLineage && 'url' in openLineage ? openLineage.token : undefined;
  return [
    ...ofConnections,
    ...(token ? [{ reference: token }] : []),
    ...Object.values(security.encryption?.keys ?? {}).map((reference) => ({ reference })),
    ...(security.signing?.key ? [{ reference: security.signing.key, parse: signingKey }] : []),
  ];
}
