import { key } from '../../stores/key.ts';
import type { Key } from '../../stores/object-store.ts';
import type { Facts, ReadEntry, Witness } from './facts.ts';

const entryKey = (log: string, n: number): Key => key(`models/${log}/log/${String(n).padStart(12, '0')}.json`);

/** How many of those who saw an entry are named. */
const namedWitnesses = 3;

/**
 * Whether each log is whole: numbered without a gap, each entry chained to the one before, as long as anybody saw it, and the same that they saw. A chain
 * proves all but its own end: only what was seen elsewhere tells that its tail was cut off. `only` is one log, `model/segment`.
 */
export function checkLogs(facts: Facts, only?: string): void {
  const heights = heightsOf(facts);
  const witnesses = new Map<string, Witness[]>();
  for (const witness of facts.witnesses) {
    const log = `${witness.model}/${witness.segment}`;
    witnesses.set(log, [...(witnesses.get(log) ?? []), witness]);
  }
  for (const log of only === undefined ? new Set([...facts.logs.keys(), ...witnesses.keys()]) : [only]) {
    checkLog(facts, log, heights.get(log) ?? 0, witnesses.get(log) ?? []);
  }
}

function checkLog(facts: Facts, log: string, own: number, witnesses: readonly Witness[]): void {
  const entries = facts.logs.get(log) ?? new Map<number, ReadEntry>();
  const height = Math.max(own, ...witnesses.map(({ n }) => n));
  for (let n = 1; n <= height; n++) {
    const place = entryKey(log, n);
    if (!facts.sizes.has(place)) {
      const why = n > own ? `${sawBeyond(witnesses, n)}: the tail of the log was cut off` : `entry ${own} is there`;
      const gap = lastMissing(facts, log, n, n > own ? height : own);
      const last = gap - n < mostNamed ? n : gap;
      const which = last === n ? `entry ${n} of ${log} is` : `entries ${n} to ${last} of ${log} are`;
      facts.findings.push({ object: place, problem: 'missing', what: `${which} not there, though ${why}` });
      n = last;
      continue;
    }
    const [before, entry] = [entries.get(n - 1), entries.get(n)];
    const expected = n === 1 ? null : before?.digest;
    // What cannot be read was named already, and says nothing of its neighbour.
    if (entry === undefined || expected === undefined || entry.entry.previous === expected) continue;
    facts.findings.push({
      object: place,
      problem: 'altered',
      what: `it does not continue the chain of ${log}: it or the entry before it is another than was written`,
      expected: String(expected),
      found: String(entry.entry.previous),
    });
  }
  for (const { n, sha256, says } of witnesses) {
    const entry = entries.get(n);
    if (sha256 === undefined || entry === undefined || entry.digest === sha256) continue;
    facts.findings.push({
      object: entry.place,
      problem: 'altered',
      what: `${says} saw another entry ${n} of ${log}: the log was written anew from here or before`,
      expected: sha256,
      found: entry.digest,
    });
  }
}

/** Entries of one gap that are named one by one: a wide gap is one finding, since it may be somebody's mere word. */
const mostNamed = 100;

function lastMissing(facts: Facts, log: string, from: number, to: number): number {
  const there = [...(facts.logs.get(log)?.keys() ?? [])].filter((n) => n > from && n <= to);
  const unread = [...facts.sizes.keys()].flatMap((place) => {
    const [, owner, n] = entryForm.exec(place) ?? [];
    return owner === log && Number(n) > from && Number(n) <= to ? [Number(n)] : [];
  });
  return Math.min(to, ...there.map((n) => n - 1), ...unread.map((n) => n - 1));
}

const entryForm = /^models\/([^/]+\/[^/]+)\/log\/(\d{12})\.json$/;

/** The number of each log's last entry that is there, readable or not. */
function heightsOf(facts: Facts): ReadonlyMap<string, number> {
  const heights = new Map<string, number>();
  for (const place of facts.sizes.keys()) {
    const [, log, n] = entryForm.exec(place) ?? [];
    if (log !== undefined) heights.set(log, Math.max(heights.get(log) ?? 0, Number(n)));
  }
  return heights;
}

function sawBeyond(witnesses: readonly Witness[], n: number): string {
  const who = witnesses.filter((witness) => witness.n >= n);
  const most = Math.max(...who.map((witness) => witness.n));
  const more = who.length - namedWitnesses;
  return `${who
    .slice(0, namedWitnesses)
    .map(({ says }) => says)
    .join(', ')}${more > 0 ? ` and ${more} more` : ''} saw entry ${most}`;
}
