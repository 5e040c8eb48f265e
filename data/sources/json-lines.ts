import { jsonFileReader } from './json-file.ts';
import type { Reader } from './reader.ts';

/** An object a line. `.gz` is unpacked. */
export const jsonLines: Reader = jsonFileReader('newline_delimited');
