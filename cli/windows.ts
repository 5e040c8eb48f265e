import type { Window } from '../core/manifest.ts';
import { instantMs } from '../core/window.ts';
import { fromArguments, misuse } from './misuse.ts';

/**
 * `2025-10-01..2025-11-01` (the end is outside), or a year, month or day alone, which means all of it.
 *
 * @throws {Misuse}
 */
export function parseWindow(text: string): Window {
  const [from, to, ...rest] = text.split('..');
  if (rest.length > 0 || from === undefined || from === '' || to === '') throw notWindow(text);
  if (to === undefined) return calendarWindow(text) ?? fail(text);
  const [fromMs, toMs] = fromArguments(() => [instantMs(from), instantMs(to)]);
  if (fromMs >= toMs) throw misuse(`the window ${text} is empty: its first date must be before its last, which is outside`);
  return { from, to };
}

/** Windows with commas between them. @throws {Misuse} */
export const parseWindows = (text: string): Window[] => text.split(',').map((each) => parseWindow(each.trim()));

/** `2025-01..2025-12`: each month as a window of its own, the last one too. A month alone is one. @throws {Misuse} */
export function parseMonths(text: string): Window[] {
  const [first, last = first, ...rest] = text.split('..').map(monthOf);
  if (first === undefined || last === undefined || rest.length > 0) throw misuse(`"${text}" names no months: write 2025-01..2025-12, or one month`);
  if (first > last) throw misuse(`${text} goes backwards: write the earlier month first`);
  return Array.from({ length: last - first + 1 }, (_, at) => ({ from: dateOf(first + at), to: dateOf(first + at + 1) }));
}

/** Months since year 0. */
function monthOf(text: string): number | undefined {
  const [, year, month] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text.trim()) ?? [];
  return year === undefined ? undefined : Number(year) * 12 + Number(month) - 1;
}

const dateOf = (month: number): string => `${String(Math.floor(month / 12)).padStart(4, '0')}-${String((month % 12) + 1).padStart(2, '0')}-01`;

function calendarWindow(text: string): Window | undefined {
  if (/^\d{4}$/.test(text)) return { from: `${text}-01-01`, to: `${String(Number(text) + 1).padStart(4, '0')}-01-01` };
  const month = monthOf(text);
  if (month !== undefined) return { from: dateOf(month), to: dateOf(month + 1) };
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const ms = fromArguments(() => instantMs(text));
  return { from: text, to: new Date(ms + 86_400_000).toISOString().slice(0, 10) };
}

const notWindow = (text: string) =>
  misuse(`"${text}" is no window: write 2025-10-01..2025-11-01 (the last date is outside), or a month or day alone, such as 2025-10`);

function fail(text: string): never {
  throw notWindow(text);
}
