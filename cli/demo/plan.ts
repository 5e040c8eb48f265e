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

/**
 * Two ways to hold rows out. `last-5` is the spec's own. A rolling origin takes data of many years year by year, from the fourth on; other data in
 * eighths, from its middle on.
 */
export function protocols(data: DemoData, spec: ModelSpec): CompareProtocolsRequest['protocols'] {
  const learned = { [spec.name]: spec.train, ease: [{ trainer: 'ease', with: { l2: 100 } }] } as const;
  const others = { 'item-knn': [{ trainer: 'item-knn' }], 'implicit-als': [{ trainer: 'implicit-als' }], bpr: [{ trainer: 'bpr' }] } as const;
  return {
    'last-5': { split: spec.split, contenders: { ...learned, ...others } },
    'rolling-origin': { split: rollingOrigin(data), contenders: learned },
  };
}

function rollingOrigin({ firstMs, lastMs }: DemoData): ModelSpec['split'] {
  if (lastMs - firstMs > 6 * yearMs) {
    const [from, to] = [firstOfYear(firstMs + 3 * yearMs), firstOfYear(lastMs - yearMs)];
    return { by: 'rolling-origin', from, to, every: '1y', horizon: '365d', minHistory: 5 };
  }
  const eighth = `${Math.max(1, Math.floor((lastMs - firstMs) / 8 / dayMs))}d`;
  return { by: 'rolling-origin', from: dateOf((firstMs + lastMs) / 2), every: eighth, horizon: eighth, minHistory: 5 };
}

/** The first 1 January at or after a moment; a few days of grace, since data seldom starts at midnight. */
function firstOfYear(ms: number): string {
  return `${new Date(ms - 5 * dayMs).getUTCFullYear() + 1}-01-01`;
}

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
