import { dirname, extname, join } from 'node:path';

/**
 * The compiled file of a module named from the repository's root without extension (`workers/lifeline`). Children, threads and bundles run
 * compiled code only; a caller that runs from `.ts` itself (a Jest test) gets the one in `dist/`, which is built first.
 */
export function compiled(module: string): string {
  const here = dirname(import.meta.dirname);
  return join(extname(import.meta.filename) === '.ts' ? join(here, 'dist') : here, `${module}.js`);
}
