import type { Readable } from 'node:stream';
import { MlError } from '../../core/errors.ts';

/** No message is longer. */
const longestLine = 1024 * 1024;

/** The lines of a stream, read no faster than they are taken. @throws {MlError} `ScriptFailed` if there are more bytes than `most`. */
export async function* boundedLines(stream: Readable, most: number): AsyncGenerator<string> {
  let bytes = 0;
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
    bytes += Buffer.byteLength(chunk);
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (bytes > most || rest.length > longestLine) {
      const what = bytes > most ? `more than ${most >>> 20} MiB` : `a line of more than ${longestLine >>> 20} MiB`;
      throw new MlError('ScriptFailed', `the script wrote ${what} to its standard output: print less, and write large content to files`, { bytes });
    }
    yield* lines.filter((line) => line.trim() !== '');
  }
  if (rest.trim() !== '') yield rest;
}
