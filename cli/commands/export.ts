import { resolve } from 'node:path';
import type { Command } from 'commander';
import { exportPackage } from '../../registry/export-package.ts';
import { readPublicKeys } from '../../signing/keys.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { plural } from '../words.ts';
import type { Workplace } from '../workplace.ts';

interface ExportFlags extends VerbOptions {
  readonly to: string;
}

export function exportCommand(program: Command): void {
  verb(program, 'export <version>', 'write a version’s package into a folder, with its signature', [
    'export movie-recommender --to ./package',
    'export movie-recommender/month=10@2 --to ./october',
  ])
    .requiredOption('--to <folder>', 'a folder that is not there yet')
    .action((version: string, flags: ExportFlags) => perform(flags, (at) => write(at, version, flags)));
}

async function write(at: Workplace, text: string, { to }: ExportFlags): Promise<void> {
  const kept = await at.kept();
  const found = await kept.registry.version(text);
  const trusted = await readPublicKeys(at.settings.security.signing?.trust ?? []);
  const exported = await exportPackage({ ...kept, trusted }, found, resolve(to));
  const { folder, files, signedBy } = exported;
  at.out.result({ reference: found.reference, ...exported }, () =>
    [`${found.reference}: ${plural(files.length, 'file')} in ${folder}`, signedBy === null ? 'It is not signed.' : `Signed by ${signedBy}.`].join(
      '\n',
    ),
  );
}
