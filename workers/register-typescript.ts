import { register } from 'node:module';
import { compiled } from './compiled.ts';
import { pathToFileURL } from 'node:url';

/** For forks that import a project's TypeScript: `fork(entry, { execArgv: typescriptArgv })`. */
export const typescriptArgv: readonly string[] = ['--import', pathToFileURL(compiled('workers/register-typescript')).href];

// Node 22.18 and later strip types themselves, but not from what lies in node_modules; one way for all is easier to trust.
register(pathToFileURL(compiled('workers/typescript-hook')));
