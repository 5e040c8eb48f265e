import type { Round } from './fit.ts';
import type { Tree } from './forest.ts';

/** Where a fit stands. All else follows from the rows, the options and these. */
export interface Position {
  readonly trees: Tree[];
  readonly curve: Round[];
  bestRound: number;
}

const endless = 'endless';

/** JSON gives back every double as it was, but for the infinite threshold of a split that only tells missing values apart. */
export function save(position: Position): Uint8Array {
  return Buffer.from(JSON.stringify(position, (_, value: unknown) => (value === Infinity ? endless : value)));
}

export function restore(saved: Uint8Array): Position {
  return JSON.parse(Buffer.from(saved).toString('utf8'), (_, value: unknown) => (value === endless ? Infinity : value)) as Position;
}
