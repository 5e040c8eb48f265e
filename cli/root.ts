import { dirname } from 'node:path';
import { compiled } from '../workers/compiled.ts';

/** The folder of Perennial itself: the demo is the project that lies there. */
export const root = dirname(dirname(compiled('index')));
