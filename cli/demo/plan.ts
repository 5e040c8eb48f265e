import { addDuration } from '../../core/duration.ts';
import type { Window } from '../../core/manifest.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import type { CompareProtocolsRequest } from '../../pipelines/movies/compare-protocols.workflow.ts';
import type { DemoData } from './data.ts';

/** The window of a month's version (10 is October): from the first such month of the data to the last, both whole. */
export function monthWindow(data: DemoData, month: number): Window | undefined {
  const found = [...data.perMonth.keys()].filter((each) => Number(each.slice(5)) === month);
  const [first, last] = [found.at(0), found.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  return { from: `${first}-01`, to: new Date(addDuration(Date.parse(`${last}-01`), '1mo')).toISOString().slice(0, 10) };
}

const dayMs = 86_400_000;
const yearMs = 365.25 * dayMs;

/** Two ways to hold rows out. Years of data are examined year by year, less by quarters; the first third is only learned from. */
export function protocols(data: DemoData, spec: ModelSpec): CompareProtocolsRequest['protocols'] {
  const learned = { 'movie-recommender': spec.train, ease: [{ trainer: 'ease', with: { l2: 100 } }] } as const;
  const others = {
    'item-knn': [{ trainer: 'item-knn' }],
    'implicit-als': [{ trainer: 'implicit-als' }],
    bpr: [{ trainer: 'bpr' }],
  } as unknown as Readonly<Record<string, ModelSpec['train']>>;
  return {
    'last-5': { split: spec.split, contenders: { ...learned, ...others } },
    'rolling-origin': { split: rollingOrigin(data), contenders: learned },
  };
}

function rollingOrigin({ firstMs, lastMs }: DemoData): ModelSpec['split'] {
  const long = lastMs - firstMs > 6 * yearMs;
  const from = firstOfYear(firstMs + (long ? 3 : 1) * yearMs);
  return long
    ? { by: 'rolling-origin', from, to: firstOfYear(lastMs - yearMs), every: '1y', horizon: '365d', minHistory: 5 }
    : { by: 'rolling-origin', from, every: '91d', horizon: '91d', minHistory: 5 };
}

/** The first 1 January at or after a moment; a few days of grace, since data seldom starts at midnight. */
function firstOfYear(ms: number): string {
  return `${new Date(ms - 5 * dayMs).getUTCFullYear() + 1}-01-01`;
}
