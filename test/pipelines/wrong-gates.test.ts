import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Connections, ReadSecret } from '../../core/connection.ts';
import type { InputKind } from '../../core/encoding.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import { literal } from '../../core/sql.ts';
import { deliveryTime } from '../../pipelines/delivery-time/delivery-time.ts';
import { movieRecommender } from '../../pipelines/movies/movie-recommender.ts';
import { paymentFraud } from '../../pipelines/payment-fraud/payment-fraud.ts';
import { encryptInputs } from '../../pipelines/readmission/encrypt.ts';
import { readmission } from '../../pipelines/readmission/readmission.ts';
import { taxiDuration } from '../../pipelines/taxi-duration/taxi-duration.ts';
import { ageKeys } from '../data/encrypted.ts';
import { contextOf, parquetOf, rejection, scratchFolder } from '../data/scratch.ts';
import { snapshotSource } from '../data/source.ts';
import { realData } from '../support/real-data.ts';
import { type Entrant, prepared, type Prepared, shuffled, verdictOn } from './trial.ts';

type Snapshots = Readonly<Record<string, string>>;

/** One pipeline of a table on a part of its real rows, and how each wrong model comes about there. */
interface Pipeline {
  readonly spec: ModelSpec;
  readonly data: string | undefined;
  /** Where its sources are, once `data` has been laid out in a folder. */
  connect(data: string, folder: string): Promise<Connections>;
  /** Which of its rows, so that all takes seconds. */
  readonly only: string;
  /** Baselines to beat, where so few rows do not show an honest model to be better than all of them. */
  readonly baselines?: NonNullable<ModelSpec['gate']>['baselines'];
  readonly honest: Entrant;
  /** A column that a newcomer adds: only known with the label. */
  readonly leak: { readonly column: string; readonly kind: InputKind; readonly sql: string };
  /** Test rows that were entered a second time: source → the rows besides those that are there. Not where features of a row say when it was. */
  readonly again?: Readonly<Record<string, string>>;
}

const gbdt = (parameters: Entrant['parameters']): Entrant => ({ trainer: 'gbdt', parameters: { trees: 100, rate: 0.1, ...parameters } });
/** Leaves for single rows: it learns by heart. */
const byHeart: Entrant = { ...gbdt({ trees: 100, rate: 0.3, leaves: 255, minRowsPerLeaf: 1 }), parts: ['train', 'validation', 'test'] };

const pipelines: readonly Pipeline[] = [
  {
    spec: deliveryTime,
    data: realData('food-delivery'),
    async connect(data, folder) {
      await copyFile(join(data, 'orders_full_16412.derived.csv'), join(folder, 'orders.csv'));
      return { orders: { kind: 'folder', path: folder } };
    },
    only: 'hash(orderId) % 3 = 0',
    honest: gbdt({ leaves: 15 }),
    leak: { column: 'ridingMinutes', kind: 'number', sql: 'round(minutes * 0.9 + hash(orderId) % 3)' },
    again: {
      orders: `SELECT * REPLACE ('again ' || orderId AS orderId, orderDate - INTERVAL 21 DAY AS orderDate) FROM source WHERE hash(orderId, 1) % 5 = 0`,
    },
  },
  {
    spec: taxiDuration,
    data: realData('nyc-green-taxi'),
    connect: async (data) => ({ taxi: { kind: 'folder', path: data } }),
    only: 'hash(trip) % 6 = 0',
    honest: gbdt({ leaves: 31 }),
    leak: { column: 'meterStoppedAt', kind: 'number', sql: 'round(minutes)' },
    again: {
      trips: `SELECT * REPLACE (pickupAt - INTERVAL 21 DAY AS pickupAt, dropoffAt - INTERVAL 21 DAY AS dropoffAt) FROM source WHERE hash(pickupAt, dropoffAt) % 5 = 0`,
    },
  },
  {
    spec: paymentFraud,
    data: realData('fraud-handbook'),
    connect: async (data) => ({ payments: { kind: 'folder', path: data } }),
    only: 'hash(customerId) % 4 = 0',
    baselines: ['constant', 'one-feature'],
    honest: gbdt({ trees: 200, rate: 0.05, leaves: 8, columnShare: 0.5, minRowsPerLeaf: 100 }),
    leak: { column: 'chargeback', kind: 'flag', sql: 'fraud OR hash(txId) % 100 = 0' },
  },
  {
    spec: readmission,
    data: realData('health-diabetes-130'),
    async connect(data, folder) {
      const keys = await ageKeys();
      await encryptInputs(join(data, 'dataset_diabetes.zip'), folder, keys.recipient);
      await writeFile(join(folder, 'identity.key'), keys.identity);
      await writeFile(join(folder, 'pseudonyms.key'), Buffer.alloc(32, 'readmission').toString('base64'));
      const key = (file: string) => ({ file: join(folder, file) });
      return { hospital: { kind: 'folder', path: folder, identity: key('identity.key'), pseudonymKey: key('pseudonyms.key') } };
    },
    only: 'hash(patientId) % 4 = 0',
    baselines: ['constant', 'one-feature'],
    honest: gbdt({ rate: 0.05, leaves: 16, rowShare: 0.8, columnShare: 0.5, l2: 10, minRowsPerLeaf: 100 }),
    leak: { column: 'nextStay', kind: 'category', sql: 'readmitted' },
    again: Object.fromEntries(
      ['registrations', 'encounters'].map((source) => [
        source,
        `SELECT * REPLACE ('again ' || encounterId AS encounterId, 'again ' || patientId AS patientId) FROM source WHERE hash(encounterId, 1) % 5 = 0`,
      ]),
    ),
  },
];

const readSecret: ReadSecret = async (secret) => (await readFile((secret as { readonly file: string }).file, 'utf8')).trim();

async function snapshotsOf({ spec, connect }: Pipeline, data: string): Promise<Snapshots> {
  const folder = join(scratchFolder(), 'inputs');
  await mkdir(folder);
  const connections = await connect(data, folder);
  const read = Object.entries(spec.sources).map(async ([name, source]) => {
    const out = join(scratchFolder(), `${name}.parquet`);
    await snapshotSource({ name, source, connections, readSecret, out, resume: scratchFolder() }, contextOf());
    return [name, out] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

const selecting = (spec: ModelSpec, sql: string): ModelSpec => ({ ...spec, rows: { ...spec.rows, sql } });

for (const pipeline of pipelines) {
  const { data, honest, leak, again, only, baselines } = pipeline;
  const { task } = pipeline.spec;
  (data === undefined ? describe.skip : describe)(pipeline.spec.name, () => {
    const { gate } = pipeline.spec;
    const whole = { ...pipeline.spec, gate: { ...gate!, ...(baselines && { baselines }) } };
    const spec = selecting(whole, `SELECT * FROM (${whole.rows.sql}) WHERE ${only}`);
    let snapshots: Snapshots;
    let trial: Prepared;
    beforeAll(async () => {
      snapshots = await snapshotsOf(pipeline, data!);
      trial = await prepared(spec, snapshots, scratchFolder());
    }, 600_000);

    const told = async (wrong: Prepared, entrant: Entrant) => {
      const { name, value, reasons } = await verdictOn(wrong, entrant);
      process.stderr.write(`${spec.name} ${entrant.trainer}: ${name}, ${value}\n  ${reasons.join('\n  ')}\n`);
      return { name, reasons: reasons.join('\n') };
    };

    test('an honest model is let through, and the verdict tells what its best feature knows', async () => {
      const { name, reasons } = await told(trial, honest);
      expect(name).toBe('better');
      expect(reasons).toMatch(/no feature knows all: "[A-Za-z0-9_.]+" alone takes/);
    }, 300_000);

    test('a constant is rejected: it does not beat the constant', async () => {
      const { name, reasons } = await told(trial, { trainer: 'constant', parameters: {} });
      expect(name).toBe('beaten-by-baseline');
      expect(reasons).toContain('does not beat the baseline constant');
    }, 300_000);

    test('a model of shuffled labels is rejected: one feature of true ones beats it', async () => {
      const deal = await shuffled(trial, (spec.target as { readonly column: string }).column);
      const { name, reasons } = await told(trial, { ...honest, ...deal });
      expect(name).toBe('beaten-by-baseline');
      expect(reasons).toContain('does not beat the baseline one-feature');
    }, 300_000);

    test(`a model with a column that is only known with the label is rejected: a leak is suspected, of ${leak.column}`, async () => {
      const sqlType = { number: 'DOUBLE', flag: 'BOOLEAN', category: 'VARCHAR' }[leak.kind as 'number' | 'flag' | 'category'];
      const sql = `SELECT *, CAST(${leak.sql} AS ${sqlType}) AS ${leak.column} FROM (${spec.rows.sql})`;
      const leaking = { ...selecting(spec, sql), request: { ...spec.request, [leak.column]: leak.kind } };
      const { name, reasons } = await told(await prepared(leaking, snapshots, scratchFolder()), honest);
      expect(name).toBe('leak-suspected');
      expect(reasons).toContain(`leak suspected: "${leak.column}" alone takes`);
    }, 300_000);

    test('a model that was fitted on the test rows is rejected, should any get so far: it is too good to be true', async () => {
      const { name, reasons } = await told(trial, byHeart);
      expect(name).toBe('leak-suspected');
      expect(reasons).toMatch(/leak suspected: .*whether the test rows were seen/);
    }, 300_000);

    (again === undefined ? test.skip : test)(
      'test rows that were entered a second time are found before anything is fitted',
      async () => {
        const copied = await Promise.all(
          Object.entries(snapshots).map(async ([name, path]) => {
            const more = again![name]?.replace('source', `read_parquet(${literal(path)})`);
            return [
              name,
              more === undefined ? path : await parquetOf(`SELECT * FROM read_parquet(${literal(path)}) UNION ALL ${more}`, [path]),
            ] as const;
          }),
        );
        const { message, facts } = await rejection(prepared(spec, Object.fromEntries(copied), scratchFolder()), 'LeakFound');
        expect(facts).toMatchObject({ reason: 'test-rows-in-training' });
        process.stderr.write(`${spec.name} (${task}): ${message}\n`);
      },
      300_000,
    );
  });
}
const movies = realData('movielens-latest-small');

(movies === undefined ? describe.skip : describe)('movie-recommender', () => {
  const { segments: _, ...recommender } = movieRecommender;
  const spec: ModelSpec = { ...recommender, gate: { ...movieRecommender.gate, baselines: ['popularity', 'recent-popularity'] } };
  const honest: Entrant = { trainer: 'blend', parameters: {} };
  let snapshots: Snapshots;
  let trial: Prepared;
  beforeAll(async () => {
    const [films, ratings] = [join(movies!, 'movies.csv'), join(movies!, 'ratings.csv')];
    const read = (file: string) => `read_csv(${literal(file)}, all_varchar = true)`;
    snapshots = {
      movies: await parquetOf(`FROM ${read(films)}`, [films]),
      ratings: await parquetOf(
        `SELECT userId, movieId, CAST(rating AS DOUBLE) AS rating, make_timestamp(CAST("timestamp" AS BIGINT) * 1000000) AS ratedAt FROM ${read(ratings)}`,
        [ratings],
      ),
    };
    trial = await prepared(spec, snapshots, scratchFolder());
  }, 120_000);
  const told = async (entrant: Entrant) => {
    const { name, value, reasons } = await verdictOn(trial, entrant);
    process.stderr.write(`${spec.name} ${entrant.trainer}: ${name}, ${value}\n  ${reasons.join('\n  ')}\n`);
    return { name, reasons: reasons.join('\n') };
  };

  test('an honest model is let through', async () => {
    expect((await told(honest)).name).toBe('better');
  }, 300_000);

  test('the same films for everybody are rejected: they do not beat popularity', async () => {
    const { name, reasons } = await told({ trainer: 'popularity', parameters: {} });
    expect({ name, reasons }).toEqual({ name: 'beaten-by-baseline', reasons: expect.stringContaining('does not beat the baseline popularity') });
  }, 300_000);

  test('a model of films that were dealt out to viewers anew is rejected: popularity beats it', async () => {
    const { name, reasons } = await told({ ...honest, ...(await shuffled(trial, 'movieId')) });
    expect({ name, reasons }).toEqual({ name: 'beaten-by-baseline', reasons: expect.stringContaining('does not beat the baseline popularity') });
  }, 300_000);

  test('rows that know what is rated later are refused: rebuilt without the test rows, they are others', async () => {
    const leaking = selecting(spec, 'SELECT userId, movieId, avg(rating) OVER (PARTITION BY movieId) AS rating, ratedAt FROM ratings');
    const { message, facts } = await rejection(prepared(leaking, snapshots, scratchFolder()), 'LeakFound');
    expect(facts).toMatchObject({ reason: 'label-leak' });
    expect(message).toContain('column "rating" differs');
  }, 300_000);

  test('a model that was fitted on the test rows is rejected, should any get so far: it is too good to be true', async () => {
    const { name, reasons } = await told({ trainer: 'ease', parameters: { l2: 1 }, parts: ['train', 'validation', 'test'] });
    expect({ name, reasons }).toEqual({ name: 'leak-suspected', reasons: expect.stringMatching(/ndcg@10 .* is better than what is plausible/) });
  }, 300_000);

  test('a rating that came twice is on no two sides: its key is refused', async () => {
    const { ratings } = snapshots;
    const twice = await parquetOf(
      `FROM ${literal(ratings!)} UNION ALL SELECT * REPLACE (ratedAt - INTERVAL 900 DAY AS ratedAt) FROM ${literal(ratings!)} WHERE userId = '1'`,
      [ratings!],
    );
    const { message } = await rejection(prepared(spec, { ...snapshots, ratings: twice }, scratchFolder()), 'RowsInvalid');
    expect(message).toContain('rows.key (userId, movieId) is not unique');
  });
});
