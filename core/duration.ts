import { MlError } from './errors.ts';

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** A span such as `90d`, `12h`, `2w`, or one of the calendar: `1mo`, `1y`. */
export const durationPattern = /^([1-9][0-9]{0,5})(s|mo|m|h|d|w|y)$/;

/**
 * `times` durations after `fromMs` (before it, when negative). Months and years are the calendar's, in UTC; a day that the month lacks becomes
 * its last.
 *
 * @throws {MlError} `SpecInvalid` if `duration` is not of the form `90d`.
 */
export function addDuration(fromMs: number, duration: string, times = 1): number {
  const [, amount, unit] = durationPattern.exec(duration) ?? [];
  if (amount === undefined || unit === undefined) {
    throw new MlError('SpecInvalid', `"${duration}" is not a duration: write a number and s, m, h, d, w, mo or y, such as "90d"`, { duration });
  }
  const count = Number(amount) * times;
  if (unit !== 'mo' && unit !== 'y') return fromMs + count * unitMs[unit as keyof typeof unitMs];
  const date = new Date(fromMs);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + count * (unit === 'y' ? 12 : 1));
  const daysInMonth = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, daysInMonth));
  return date.getTime();
}

/** Milliseconds of a duration without months and years. @throws {MlError} `SpecInvalid` */
export function durationMs(duration: string): number {
  if (/(mo|y)$/.test(duration)) {
    throw new MlError('SpecInvalid', `"${duration}" has no fixed length: write it in days, such as "30d"`, { duration });
  }
  return addDuration(0, duration);
}
