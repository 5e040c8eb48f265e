import type { Facts } from './facts.ts';

/**
 * Whether each fold holds the entries of its log. An entry is known by its own bytes and by what the next one says of it: where these differ the log is
 * damaged, which is named as such, and the fold may be what is left of the truth.
 */
export function checkFolds(facts: Facts): void {
  for (const { place, log, n: end, digests } of facts.folds) {
    const entries = facts.logs.get(log);
    for (const [at, found] of digests.entries()) {
      const n = end - digests.length + 1 + at;
      const known = [entries?.get(n)?.digest, entries?.get(n + 1)?.entry.previous].filter((digest) => typeof digest === 'string');
      if (known.length === 0 || known.includes(found)) continue;
      facts.findings.push({
        object: place,
        problem: 'altered',
        what: `it holds another entry ${n} of ${log} than the log`,
        expected: known[0]!,
        found,
      });
      break;
    }
  }
}
