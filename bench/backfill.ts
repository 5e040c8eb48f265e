/**
 * Models of 10, 100 and 1,000 segments, trained by one `backfill` each: what a segment costs above the bare trainer, whether that grows with their number, and
 * what the worker holds meanwhile.
 *
 * `node dist/bench/backfill.js [concurrency] [segments…]` prints one JSON object; TEMPORAL_CLI_PATH as elsewhere. Everything is real: the server that `dev` starts,
 * a worker of all roles with its compute children, a store in a folder. The bare trainer is the fits that a training makes, called one after the other on
 * rows in memory, in the same process and minute.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { NativeConnection, Runtime } from '@temporalio/worker';
import { connect } from '../client/client.ts';
import type { PerennialClient } from '../client/client.ts';
import { defineModel } from '../core/model-spec.ts';
import { segmentLabel } from '../core/segment.ts';
import { random } from '../core/random.ts';
import { loadSettings } from '../workers/config.ts';
import { compactLogger } from '../workers/log.ts';
import { findTemporalCli } from '../workers/temporal-cli.ts';
import { startTemporalServer } from '../workers/temporal-server.ts';
import { startWorker } from '../workers/worker.ts';
import { bareFits } from './backfill/bare-fits.ts';

const [concurrency = 4, ...sizes] = process.argv.slice(2).map(Number);
const counts = sizes.length > 0 ? sizes : [10, 100, 1000];
const rowsPerSegment = 200;

/** Sales of shops: each shop has its own price and its own weekdays. */
function sales(shops: number): string {
  const draw = random('sales');
  const lines = ['id,at,shop,price,rain,temperature,weekday,sold'];
  for (let shop = 0; shop < shops; shop++) {
    const base = 20 + 30 * draw.next();
    for (let row = 0; row < rowsPerSegment; row++) {
      const at = new Date(Date.UTC(2024, 0, 1) + row * 12 * 3_600_000);
      const price = 1 + 4 * draw.next();
      const rain = draw.below(3) === 0;
      const temperature = 10 + 8 * draw.normal();
      const sold = base - 5 * price - (rain ? 6 : 0) + 0.5 * temperature + 3 * Math.cos(at.getUTCDay()) + draw.normal();
      const id = shop * rowsPerSegment + row;
      lines.push([id, at.toISOString(), `s${shop}`, price.toFixed(2), rain, temperature.toFixed(1), `d${at.getUTCDay()}`, sold.toFixed(2)].join(','));
    }
  }
  return lines.join('\n');
}

const shopSales = (shops: number) =>
  defineModel({
    format: 1,
    name: `sales-of-${shops}`,
    task: 'regression',
    sources: {
      sales: {
        from: 'files:/sales.csv',
        read: 'csv',
        key: ['id'],
        time: 'at',
        columns: {
          id: 'key',
          at: 'time',
          shop: 'category',
          price: 'number',
          rain: 'flag',
          temperature: 'number',
          weekday: 'category',
          sold: 'number',
        },
      },
    },
    rows: { sql: 'SELECT * FROM sales', key: ['id'], time: 'at' },
    segments: { by: 'shop', only: Array.from({ length: shops }, (_, shop) => `s${shop}`) },
    target: { column: 'sold' },
    request: { price: 'number', rain: 'flag', temperature: 'number', weekday: 'category' },
    split: { by: 'time', validation: '15d', test: '15d' },
    train: [{ trainer: 'gbdt', with: { trees: 50, leaves: 8, minRowsPerLeaf: 10 } }],
    gate: { metric: 'mae', baselines: ['constant', 'one-feature'] },
  });

const round = (value: number): number => Number(value.toPrecision(4));
const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

type Part = 'worker' | 'children' | 'server';

/** Processor milliseconds so far of the worker (this process, the client included), its compute children that live, and Temporal's server. Linux only. */
function cpuMs(): Record<Part, number> {
  const parts: Record<Part, number> = { worker: 0, children: 0, server: 0 };
  const parents = new Map(processes().map(({ pid, parent, command }) => [pid, { parent, command }]));
  const isOurs = (pid: number): boolean => pid === process.pid || (parents.has(pid) && isOurs(parents.get(pid)!.parent));
  for (const [pid, { command }] of parents) {
    if (!isOurs(pid)) continue;
    parts[pid === process.pid ? 'worker' : command.includes('compute-process') ? 'children' : 'server'] += 10 * ticksOf(pid);
  }
  return parts;
}

function processes(): readonly { readonly pid: number; readonly parent: number; readonly command: string }[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  return table.split('\n').flatMap((line) => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return command === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
}

function ticksOf(pid: number): number {
  try {
    const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
      .slice(11, 13);
    return Number(user) + Number(system);
  } catch {
    return 0; // It has just ended.
  }
}

async function runAt(shops: number, client: PerennialClient, rss: () => { readonly workerMb: number; readonly childrenMb: number }) {
  const spec = shopSales(shops);
  await writeFile(join(folder, 'files', 'sales.csv'), sales(shops));
  const segments = spec.segments!.only.map((value) => segmentLabel('shop', value));
  const memory = [rss()];
  const [cpuBefore, began] = [cpuMs(), performance.now()];
  const run = await client.backfill({ spec, windows: [null], segments, concurrency });
  const watch = setInterval(() => memory.push(rss()), 2000);
  const { outcome, results } = await run.result();
  clearInterval(watch);
  const seconds = (performance.now() - began) / 1000;
  const cpu = cpuMs();
  const cpuOf = (part: Part) => round((cpu[part] - cpuBefore[part]) / shops);
  memory.push(rss());
  if (outcome !== 'completed') throw new Error(`of ${shops} segments: ${JSON.stringify(results.find(({ version }) => version === undefined))}`);
  const bare = await bareFits({ folder, spec, segment: segments[0]! });
  const at = (share: number) => memory[Math.round(share * (memory.length - 1))]!;
  return {
    segments: shops,
    seconds: round(seconds),
    msPerSegment: round((1000 * seconds) / shops),
    bareMsPerSegment: round(bare.ms),
    aboveBareMs: round((1000 * seconds) / shops - bare.ms),
    cpuMsPerSegment: { worker: cpuOf('worker'), children: cpuOf('children'), server: cpuOf('server'), bareTrainer: round(bare.cpuMs) },
    fits: bare.fits,
    memory: { start: at(0), middle: at(0.5), end: at(1) },
    histories: await historiesOf(client, run.workflowId, `train/${spec.name}/${segments.at(-1)!}`),
    load: round(loadavg()[0]!),
  };
}

/** Events and bytes of the backfill's runs, oldest first, and of one training. */
async function historiesOf(client: PerennialClient, backfill: string, training: string) {
  const sizeOf = async (workflowId: string, runId?: string) => {
    const { raw } = await client.temporal.workflow.getHandle(workflowId, runId).describe();
    const { historyLength, historySizeBytes } = raw.workflowExecutionInfo!;
    return { events: Number(historyLength), kb: Math.round(Number(historySizeBytes) / 1024) };
  };
  const runs: string[] = [];
  for await (const { runId } of client.temporal.workflow.list({ query: `WorkflowId = "${backfill}"` })) runs.unshift(runId);
  return { backfill: await Promise.all(runs.map((runId) => sizeOf(backfill, runId))), training: await sizeOf(training) };
}

Runtime.install({ shutdownSignals: [], logger: compactLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
const folder = await mkdtemp(join(tmpdir(), 'perennial-bench-backfill-'));
await mkdir(join(folder, 'files'));
const { temporal: settings } = await loadSettings(folder);
const binary = await findTemporalCli({ ...settings.cli, onProgress: (line) => process.stderr.write(`${line}\n`) });
const temporal = await startTemporalServer({ binary, ui: false, dataFolder: join(folder, 'temporal') });
const { address, namespace } = temporal;
const connection = await NativeConnection.connect({ address });
const worker = await startWorker({
  connection,
  namespace,
  taskQueue: 'backfill',
  store: join(folder, 'store'),
  workFolder: join(folder, 'work'),
  connections: { files: { kind: 'folder', path: join(folder, 'files') } },
});
const client = await connect({ address, namespace, taskQueue: 'backfill' });
const rss = () => ({
  workerMb: megabytes(process.memoryUsage().rss),
  childrenMb: megabytes(worker.computePids().reduce((sum, pid) => sum + rssOf(pid), 0)),
});
try {
  await runAt(2, client, rss);
  const bySize = [];
  for (const shops of counts) {
    bySize.push(await runAt(shops, client, rss));
    process.stderr.write(`${JSON.stringify(bySize.at(-1))}\n`);
  }
  process.stdout.write(`${JSON.stringify({ machine: { cores: availableParallelism() }, concurrency, rowsPerSegment, bySize }, null, 2)}\n`);
} finally {
  await client.close();
  await worker.stop();
  await connection.close();
  await temporal.stop();
  await rm(folder, { recursive: true, force: true });
}

function rssOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
  } catch {
    return 0; // It has just ended.
  }
}
