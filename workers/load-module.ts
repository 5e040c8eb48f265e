import { pathToFileURL } from 'node:url';
import { MlError } from '../core/errors.ts';
import { messageOf } from '../core/message-of.ts';

/** What a module of a project exports. @throws {MlError} `ConfigInvalid`, naming the file */
export async function loadModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    if (cause instanceof MlError) throw cause;
    // What TypeScript's parser says of a file is followed by a trace of its own.
    const message = messageOf(cause).replace(/\s+Stack backtrace:[^]*$/, '');
    // Whose project was just made or cloned has forgotten this, more often than misspelt a name.
    const cure = message.startsWith('Cannot find package') ? '. Run `npm install`, or add the package to package.json' : '';
    throw new MlError('ConfigInvalid', `${file} cannot be loaded: ${message}${cure}`, { file }, { cause });
  }
}
