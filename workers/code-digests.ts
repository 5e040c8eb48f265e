import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MlError } from '../core/errors.ts';
import { compiled } from './compiled.ts';

/** Digests of compiled modules with their local imports, written by the build: they tell code that gives other content from code that does not. */
export interface CodeDigests {
  /** By the module's path without extension: `activities/build-rows`. */
  of(module: string): string;
  /** Whether some module here has this digest. */
  has(digest: string): boolean;
}

const path = (): string => join(compiled('index'), '..', 'code-digests.json');

/** All of them as one text: it differs where any compiled module does. */
export const allCodeDigests = (): string => readFileSync(path(), 'utf8');

export function readCodeDigests(): CodeDigests {
  const digests = JSON.parse(allCodeDigests()) as Readonly<Record<string, string>>;
  const short = (digest: string): string => digest.slice(0, 32);
  const known = new Set(Object.values(digests).map(short));
  return {
    of(module) {
      const digest = digests[`${module}.js`];
      if (digest === undefined) throw new MlError('Bug', `module "${module}" has no digest in ${path()}: build again`);
      return short(digest);
    },
    has: (digest) => known.has(digest),
  };
}
