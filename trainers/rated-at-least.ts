import { z } from 'zod';
import type { Trainer } from '../core/trainer.ts';
import { constantScores } from './recommender-graph.ts';
import { listScores, minimum, ratedItems } from './rules.ts';
import type { Minimum, RatedItem } from './rules.ts';

export interface RatedAtLeastParameters extends Minimum {
  /** The lowest mean rating that is listed. */
  readonly threshold: number;
}

declare module '../core/trainer.ts' {
  interface TrainerParameters {
    'rated-at-least': RatedAtLeastParameters;
  }
}

/** A rule: every item with a mean rating of at least `threshold`, in the order of the alphabet (`collationKey`), and nothing else. */
export const ratedAtLeast: Trainer<'recommendation', RatedAtLeastParameters> = {
  name: 'rated-at-least',
  tasks: ['recommendation'],
  parameters: z.strictObject({ threshold: z.number().default(4), ...minimum }),
  async fit(data, parameters, context) {
    const eligible = ratedItems(data, parameters);
    const list = eligible.filter(({ mean }) => mean >= parameters.threshold).toSorted(alphabetically);
    await context.progress(1, 1);
    return {
      onnx: constantScores(listScores(list, data.catalogue.length)),
      chosen: { ...parameters },
      facts: { eligible: eligible.length, listed: list.length },
    };
  },
};

/**
 * The alphabet of the rule: without accents, in lower case, by Unicode code point; so `Élan` stands with `elan`. In DuckDB:
 * `ORDER BY lower(strip_accents(title))`. Not `Intl.Collator`, whose order changes with the version of ICU.
 */
export const collationKey = (title: string): string => title.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** Equal keys go by the catalogue: more ratings first, then the lower id. */
const alphabetically = (a: RatedItem, b: RatedItem): number =>
  Buffer.compare(Buffer.from(collationKey(a.title)), Buffer.from(collationKey(b.title))) || a.position - b.position;
