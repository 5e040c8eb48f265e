/** Loads a project's TypeScript (configuration, pipelines) on a Node that cannot: types are taken out with the compiler that Temporal brings. */
import { readFile } from 'node:fs/promises';
import type { LoadHook } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

export const load: LoadHook = async (url, context, nextLoad) => {
  if (!/\.m?ts($|\?)/.test(url)) return nextLoad(url, context);
  const filename = fileURLToPath(url);
  const { code } = await transform(await readFile(filename, 'utf8'), {
    filename,
    // The project's own SWC settings are for its own builds.
    swcrc: false,
    configFile: false,
    sourceMaps: 'inline',
    jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
    module: { type: 'es6' },
  });
  return { format: 'module', source: code, shortCircuit: true };
};
