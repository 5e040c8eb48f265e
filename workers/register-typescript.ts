import { register } from 'node:module';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compiled } from './compiled.ts';

/** For forks that import a project's TypeScript: `fork(entry, { execArgv: typescriptArgv })`. */
export const typescriptArgv: readonly string[] = ['--import', pathToFileURL(compiled('workers/register-typescript')).href];

// Node 22.18 and later strip types themselves, but not from what lies in node_modules; one way for all is easier to trust. A Jest test runs from
// `.ts`, transforms by itself and allows no hooks.
if (extname(import.meta.filename) === '.js') register(pathToFileURL(compiled('workers/typescript-hook')));
