import type { Finding } from './finding.ts';

/** Schedules, windows and hints of changes go by the clock; a minute is what followers look back. */
const most = { doubtfulMs: 5_000, illMs: 60_000 };

/** How our clock stands to another one. Some tell whole seconds only. */
export function clockFinding(whose: string, aheadMs: number): Finding {
  const off = Math.abs(aheadMs);
  const state = off > most.illMs ? 'ill' : off > most.doubtfulMs ? 'doubtful' : 'well';
  const seconds = (off / 1000).toFixed(off < 10_000 ? 1 : 0);
  return {
    of: 'clock',
    state,
    found: state === 'well' ? `agrees with that of ${whose}` : `${whose} is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine`,
    ...(state !== 'well' && { cure: 'set both clocks by NTP: entries, windows and schedules carry their times' }),
  };
}
