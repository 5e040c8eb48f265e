import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { aggregateGroups } from '../core/aggregates.ts';
import { aggregatesSql } from '../data/aggregates.ts';
import { duckdbVersion, withDuckdb, type DataContext, type Duckdb } from '../data/duckdb.ts';
import { parquet } from '../data/parquet.ts';
import { viewSources } from '../data/select.ts';
import { readers } from '../data/sources/index.ts';
import { paymentFraud } from '../pipelines/payment-fraud/payment-fraud.ts';

/**
 * All windowed features of the fraud handbook's 1.75 million transactions, from snapshot to Parquet: the statement that the declaration generates, beside the
 * one that somebody would write by hand, and beside pandas as the handbook has it (without reading and writing). CPU seconds say more than wall clock
 * where others use the machine. `node dist/bench/aggregates.js --data ../shared/data/fraud-handbook [--python VENV/bin/python] [--threads 2] [--repeat 3]`
 */
const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '../shared/data/fraud-handbook' },
    python: { type: 'string' },
    threads: { type: 'string', default: '2' },
    repeat: { type: 'string', default: '3' },
  },
});

const days = [1, 7, 30];
/** The windows begin with the millisecond after, and of payments in the same second each counts all: a hair easier than ours. */
const byHand = `
  SELECT txId, ${days.map((day) => `count(*) OVER c${day} AS c${day}, avg(amount) OVER c${day} AS m${day}`).join(', ')},
    ${days.map((day) => `count(*) OVER t${day} AS t${day}, coalesce(avg(CAST(fraud AS INTEGER)) OVER t${day}, 0) AS r${day}`).join(', ')}
  FROM transactions WINDOW ${[
    ...days.map(
      (day) => `c${day} AS (PARTITION BY customerId ORDER BY "at" RANGE BETWEEN INTERVAL '${day} days' - INTERVAL '1 ms' PRECEDING AND CURRENT ROW)`,
    ),
    ...days.map(
      (day) =>
        `t${day} AS (PARTITION BY terminalId ORDER BY "at" RANGE BETWEEN INTERVAL '${day + 7} days' - INTERVAL '1 ms' PRECEDING AND INTERVAL '7 days' PRECEDING)`,
    ),
  ].join(', ')}`;
const groups = aggregateGroups(paymentFraud);
const names = groups.flatMap(({ features }) => features.map(({ name }) => name));
const statements = { ours: aggregatesSql('transactions', ['txId'], groups), byHand };

interface Side {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const folder = mkdtempSync(join(tmpdir(), 'aggregates-'));
const context: DataContext = { signal: new AbortController().signal, scratch: folder, limits: { threads: Number(values.threads) } };
const snapshot = join(folder, 'snapshot.parquet');
const outOf = (side: string): string => join(folder, `${side}.parquet`);

const onTransactions = <T>(write: string, use: (db: Duckdb) => Promise<T>): Promise<T> =>
  withDuckdb({ read: [snapshot], write: [write] }, context, async (db) => {
    await viewSources(db, { transactions: snapshot });
    return use(db);
  });

async function time(side: keyof typeof statements): Promise<Side> {
  const out = outOf(side);
  const [started, before] = [performance.now(), process.cpuUsage()];
  await onTransactions(out, (db) => db.run(`COPY (${statements[side]}) TO '${out}' (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)`));
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6 };
}

/** How many rows have a feature that differs from pandas' by more than rounding. */
async function rowsThatDiffer(file: string): Promise<number> {
  const theirs = new Float64Array(readFileSync(file).buffer);
  let [row, differ] = [0, 0];
  await withDuckdb({ read: [outOf('ours')] }, context, async (db) => {
    for await (const chunk of db.chunks(`SELECT ${names.join(', ')} FROM ${parquet(outOf('ours'))} ORDER BY CAST(txId AS BIGINT)`)) {
      const columns = names.map((_, at) => chunk.getColumnVector(at));
      for (let i = 0; i < chunk.rowCount; i++, row++) {
        const isOther = (at: number): boolean => {
          const [mine, other] = [columns[at]!.getItem(i) as number, theirs[row * names.length + at]!];
          return Math.abs(mine - other) > 1e-9 * Math.max(1, Math.abs(other));
        };
        if (names.some((_, at) => isOther(at))) differ++;
      }
    }
  });
  return differ;
}

const leastCpu = (sides: readonly Side[]): Side => sides.toSorted((a, b) => a.cpuSeconds - b.cpuSeconds)[0]!;

try {
  const { transactions } = paymentFraud.sources;
  await readers.parquet.snapshot(
    {
      name: 'transactions',
      source: transactions,
      connection: { kind: 'folder', path: values.data },
      path: transactions.from.slice('payments:'.length),
      readSecret: () => Promise.reject(new Error('a folder has no secret')),
      out: snapshot,
      resume: folder,
    },
    context,
  );
  const [ours, hand]: [Side[], Side[]] = [[], []];
  for (let round = 0; round < Number(values.repeat); round++) {
    hand.push(await time('byHand'));
    ours.push(await time('ours'));
  }
  const [mine, bare] = [leastCpu(ours), leastCpu(hand)];
  const script = fileURLToPath(new URL('../../bench/aggregates.py', import.meta.url));
  const file = join(folder, 'pandas.bin');
  const pandas = values.python && (JSON.parse(execFileSync(values.python, [script, values.data, file], { encoding: 'utf8' })) as Side);
  const beside = pandas && { pandas, pandasToOurs: pandas.cpuSeconds / mine.cpuSeconds, rowsThatDiffer: await rowsThatDiffer(file) };
  console.log(
    JSON.stringify(
      {
        features: names.length,
        duckdb: duckdbVersion,
        threads: values.threads,
        ours: mine,
        byHand: bare,
        oursToByHand: mine.cpuSeconds / bare.cpuSeconds,
        ...beside,
      },
      null,
      2,
    ),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
