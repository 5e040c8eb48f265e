import type { Json } from '../core/artifact.ts';
import type { Window } from '../core/manifest.ts';
import type { VerdictName } from '../core/registry-entry.ts';

export type Tone = 'good' | 'bad' | 'open';

/** What each verdict says to a reader who meets it for the first time. */
export const verdictWords = {
  better: { title: 'Better', tone: 'good', meaning: 'Its gain lies above zero with its whole interval.' },
  'not-worse': { title: 'Not worse', tone: 'good', meaning: 'What it may lose to the champion is within the margin that the gate allows.' },
  worse: { title: 'Worse', tone: 'bad', meaning: 'It may lose more to the champion, or to the one of all rows, than the gate allows.' },
  'below-floor': { title: 'Below a floor', tone: 'bad', meaning: 'One slice, or one limit, falls short of what was promised for it.' },
  'beaten-by-baseline': { title: 'Beaten by a baseline', tone: 'bad', meaning: 'It is not surely better than an obvious answer.' },
  'leak-suspected': { title: 'Leak suspected', tone: 'bad', meaning: 'It is too good to be true: something in it may know the answers.' },
  'not-comparable': { title: 'Not comparable', tone: 'open', meaning: 'No exam was fair to all contenders; a person has to decide.' },
} as const satisfies Record<VerdictName, { readonly title: string; readonly tone: Tone; readonly meaning: string }>;

const minus = (text: string): string => text.replace('-', '\u2212');

/** A count with a thin space between thousands: `100 836`. */
export const count = (value: number): string => minus(String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f'));

/** Four decimals below ten, four figures above: marks of one column line up. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size < 10) return minus(value.toFixed(4));
  return size < 1000 ? minus(value.toPrecision(4)) : count(Math.round(value));
}

/** Three figures, for the text that stands for a plot and for cells that need no more. */
export const short = (value: number): string => (Number.isInteger(value) ? count(value) : minus(String(Number(value.toPrecision(3)))));

export const signed = (value: number): string => (value > 0 ? `+${figure(value)}` : figure(value));

/** Milliseconds since 1970 as the day that a reader thinks in. */
export const instant = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** `from 2022-02-11 to 2022-04-06 23:55`, exclusive; of rows without a time, `of any time`. */
export function span({ from, to }: Window): string {
  if (from.startsWith('1970-01-01') && to.startsWith('9999-')) return 'of any time';
  const day = (text: string): string => text.replace(/T00:00:00(\.000)?Z$/, '').replace(/T(\d\d:\d\d).*Z$/, ' $1');
  return `from ${day(from)} to ${day(to)}`;
}

export const percent = (share: number): string => (share > 0 && share < 0.0005 ? '< 0.1 %' : `${Number((share * 100).toFixed(1))} %`);

export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** `l2 = 300, tau = 180`: parameters on one line, for a label. */
export function parametersLine(parameters: Json): string {
  if (!isRecord(parameters)) return parameters === null ? '' : plain(parameters);
  return Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} = ${plain(value as Json)}`)
    .join(', ');
}

export const isRecord = (value: Json | undefined): value is { readonly [key: string]: Json | undefined } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A JSON value as a reader would write it. */
export function plain(value: Json | undefined): string {
  if (value === undefined || value === null) return '–';
  if (typeof value === 'number') return Number.isInteger(value) ? count(value) : minus(String(Number(value.toPrecision(6))));
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Object.keys(value).length === 0) return 'none';
  return JSON.stringify(value);
}
