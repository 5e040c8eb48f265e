/**
 * What a step costs beside a plain Temporal activity, what a thousand at once cost, and what a worker holds after a thousand runs.
 *
 * `node dist/bench/overhead.js [steps] [parallel] [runs]` prints one JSON object; TEMPORAL_CLI_PATH as elsewhere. The server is the one that `dev`
 * starts, with its database in a file; the store is a folder. Milliseconds are from one workflow task to the next, as the workflow sees them; each
 * step has a plain activity just before it, so a busy machine slows both.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { connect } from '../client/client.ts';
import { compiled } from '../workers/compiled.ts';
import { loadSettings } from '../workers/config.ts';
import { compactLogger } from '../workers/log.ts';
import { findTemporalCli } from '../workers/temporal-cli.ts';
import { startTemporalServer } from '../workers/temporal-server.ts';
import { startWorker } from '../workers/worker.ts';
import type { Times } from './overhead/measure.workflow.ts';
import { makeTrivial } from './overhead/trivial.steps.ts';

const [steps = 40, parallel = 1000, runs = 1000] = process.argv.slice(2).map(Number);
const atOnce = 20;
/** Runs of so many steps before those that count. */
const warmUps = 5;

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;
const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;
function held() {
  collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rssMb: megabytes(rss), heapMb: megabytes(heapUsed), externalMb: megabytes(external) };
}

const quantile = (values: readonly number[], q: number): number => values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))]!;
const mean = (values: readonly number[]): number => Math.round((values.reduce((sum, each) => sum + each, 0) / values.length) * 100) / 100;
const summary = (values: readonly number[]) => ({ mean: mean(values), p50: quantile(values, 0.5), p90: quantile(values, 0.9) });

/** What the store takes of a step: the same artifacts, made without Temporal. */
async function timesAlone(count: number): Promise<readonly number[]> {
  const times: number[] = [];
  const context = {
    signal: new AbortController().signal,
    heartbeat() {},
    run: { workflowId: 'alone', runId: 'alone', workflowType: 'none', attempt: 1 },
  };
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  for (let i = 0; i < count; i++) {
    const scratch = join(folder, `alone-${i}`);
    await mkdir(scratch);
    const began = performance.now();
    await makeTrivial({ n: `alone ${i}`, store }, { ...context, log: silent, scratch });
    times.push(Math.round((performance.now() - began) * 100) / 100);
  }
  return times;
}

Runtime.install({ shutdownSignals: [], logger: compactLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
const folder = await mkdtemp(join(tmpdir(), 'perennial-bench-overhead-'));
const store = join(folder, 'trivial');
const { temporal: settings } = await loadSettings(folder);
const binary = await findTemporalCli({ ...settings.cli, onProgress: (line) => process.stderr.write(`${line}\n`) });
const temporal = await startTemporalServer({ binary, ui: false, dataFolder: join(folder, 'temporal') });
const { address, namespace } = temporal;
const connection = await NativeConnection.connect({ address });
const plain = await Worker.create({ connection, namespace, taskQueue: 'plain', activities: { plain: async (n: string) => ({ n }) } });
const plainDone = plain.run();
const worker = await startWorker({
  connection,
  namespace,
  taskQueue: 'overhead',
  store: join(folder, 'store'),
  workFolder: join(folder, 'work'),
  connections: {},
  workflowModules: [compiled('bench/overhead/measure.workflow')],
  stepModules: [compiled('bench/overhead/trivial.steps')],
});
const client = await connect({ address, namespace, taskQueue: 'overhead' });
const seeded = (count: number, seed: string) => ({ count, store, seed });
try {
  await (await client.run('measureSteps', seeded(3, 'first'), 'first')).result();
  const early = await (await client.run<Times>('measureSteps', seeded(steps, 'early'), 'early')).result();
  // A worker lives for hours: what it costs once its code is compiled is what its steps cost.
  for (let i = 0; i < warmUps; i++) await (await client.run('measureSteps', seeded(steps, `warm ${i}`), `warm-${i}`)).result();
  const load = loadavg()[0]!;
  const times = await (await client.run<Times>('measureSteps', seeded(steps, 'cold'), 'steps')).result();
  const more = (of: Times, kind: 'queued' | 'eager') => Math.round((mean(of[kind]) - mean(of.plain)) * 100) / 100;
  const summaries = (of: Times) => Object.fromEntries(Object.entries(of).map(([kind, each]) => [kind, summary(each)]));

  const alone = await timesAlone(steps);

  const began = performance.now();
  const distinct = parallel > 0 ? await (await client.run<number>('measureMany', seeded(parallel, 'many'), 'many')).result() : 0;
  const manyMs = Math.round(performance.now() - began);

  const memory: Record<number, ReturnType<typeof held>> = { 0: held() };
  for (let done = 0; done < runs;) {
    await Promise.all(
      Array.from({ length: Math.min(atOnce, runs - done) }, async (_, i) =>
        (await client.run('measureMany', seeded(1, `run ${done + i}`), `run-${done + i}`)).result(),
      ),
    );
    done = Math.min(runs, done + atOnce);
    if ([0.1, 0.2, 0.5, 1].some((share) => done === share * runs)) memory[done] = held();
  }
  const report = {
    machine: { cores: availableParallelism(), load },
    msPerStep: { ...summaries(times), storeAlone: summary(alone) },
    moreThanPlain: { queued: more(times, 'queued'), eager: more(times, 'eager') },
    /** The first steps of a worker that has just started. */
    early: { msPerStep: summaries(early), moreThanPlain: { queued: more(early, 'queued'), eager: more(early, 'eager') } },
    parallel: { steps: parallel, distinct, ms: manyMs },
    memory,
  };
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
} finally {
  await client.close();
  await worker.stop();
  plain.shutdown();
  await plainDone;
  await connection.close();
  await temporal.stop();
  await rm(folder, { recursive: true, force: true });
}
