import type { Command } from 'commander';
import { MlError } from '../../core/errors.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { plural } from '../words.ts';
import type { Workplace } from '../workplace.ts';

export function signCommand(program: Command): void {
  verb(program, 'sign <version>', 'sign a version that was made before there was a key, once every byte of it is verified', [
    'sign movie-recommender@2',
    'sign movie-recommender/month=10@champion --json',
  ]).action((version: string, flags: VerbOptions) => perform(flags, (at) => sign(at, version)));
}

/** Workers sign what they make, and nothing else: that an older version is one of yours is for a person to say. */
async function sign(at: Workplace, text: string): Promise<void> {
  const [{ verify }, { openSigner }] = await Promise.all([import('../../registry/verify/verify.ts'), import('../../workers/signing.ts')]);
  const { store, blobs, registry } = await at.kept();
  const { reference, version } = await registry.version(text);
  const signer = await openSigner(store, blobs, at.settings.security.signing);
  if (signer === undefined) {
    throw new MlError('ConfigInvalid', 'there is no key to sign with: name one as `signing.key` in perennial.config.ts (docs/keys.md)');
  }
  const { findings } = await verify(store, { version: reference });
  if (findings.length > 0) {
    const [{ object, what }] = findings as [(typeof findings)[number]];
    throw new MlError(
      'ArtifactCorrupt',
      `${reference} is not whole (${plural(findings.length, 'finding')}): ${object}: ${what}. See \`perennial verify ${reference}\``,
      {
        reference,
        object,
      },
    );
  }
  await signer.package(version.package.sha256);
  const { fingerprint: signedBy } = signer;
  at.out.result({ reference, package: version.package.sha256, signedBy }, () => `${reference} is signed by ${signedBy}`);
}
