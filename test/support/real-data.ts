import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = process.env['PERENNIAL_DATA'] ?? resolve(import.meta.dirname, '../../../shared/data');

/** The folder of a real dataset, or `undefined` where it is absent: the test then skips, and says so. */
export function realData(name: string): string | undefined {
  const folder = join(root, name);
  if (existsSync(folder)) return folder;
  process.stderr.write(`real data "${name}" is not at ${folder} (set PERENNIAL_DATA): its tests are skipped\n`);
  return undefined;
}
