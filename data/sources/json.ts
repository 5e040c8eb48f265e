import { jsonFileReader } from './json-file.ts';
import type { Reader } from './reader.ts';

/** One array of objects a file. */
export const json: Reader = jsonFileReader('array');
