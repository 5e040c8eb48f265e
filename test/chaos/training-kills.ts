/**
 * `node dist/test/chaos/training-kills.js [--kills 20] [--seed 1] [--only gbdt,bpr] [--json]`: for each trainer the process that trains is killed with -9 at random
 * moments, so often, and each time the training goes on by itself. Its package must have the SHA-256 of the one that nobody disturbed. Prints a table;
 * exit code 1 if a package differs, if fewer were killed, or if a trainer with checkpoints never went on from one in ten kills or more.
 *
 * Everything is real: a Temporal server, a worker with its compute children, a store in a folder, which is a fresh one for each training. Libraries of Python
 * scripts are installed on first use; where they cannot be had, their line says so.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { NativeConnection, Runtime } from '@temporalio/worker';
import { compactLogger } from '../../workers/log.ts';
import { startTemporalServer } from '../../workers/temporal-server.ts';
import { bundleWorkflows } from '../../workers/workflow-bundle.ts';
import { temporalBinary } from '../support/temporal.ts';
import { type Entry, entries, writeTrainingRows } from './trainings.ts';
import { type KilledTrainer, killTrainer } from './kill-trainer.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const names = (values.only?.split(',') ?? Object.keys(entries)) as readonly Entry[];
const unknown = names.find((name) => !Object.hasOwn(entries, name));
if (unknown !== undefined) {
  process.stderr.write(`there is no trainer "${unknown}": there are ${Object.keys(entries).join(', ')}\n`);
  process.exit(2);
}

Runtime.install({ shutdownSignals: [], logger: compactLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
const folder = await mkdtemp(join(tmpdir(), 'perennial-training-kills-'));
const temporal = await startTemporalServer({ binary: await temporalBinary(), ui: false });
const connection = await NativeConnection.connect({ address: temporal.address });
const say = (text: string): void => void (values.json || process.stdout.write(`${text}\n`));
const all: KilledTrainer[] = [];
try {
  const catalogue = join(folder, 'catalogue');
  await mkdir(catalogue);
  await writeTrainingRows(catalogue);
  const workflowBundle = await bundleWorkflows([], join(folder, 'bundle'));
  say(line('trainer', 'kills', 'a fit alone', 'went on', 'did again, most', 'package'));
  for (const name of names) {
    const killed = await killTrainer(name, {
      folder,
      catalogue,
      connection,
      temporal,
      workflowBundle,
      kills: Number(values.kills),
      seed: values.seed,
    });
    all.push(killed);
    say(lineOf(killed));
  }
} finally {
  await connection.close();
  await temporal.stop();
  await rm(folder, { recursive: true, force: true });
}
if (values.json) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
if (all.some(({ broken }) => broken !== undefined)) process.exitCode = 1;

function line(...[first, ...cells]: readonly string[]): string {
  const widths = [7, 13, 10, 20, 0];
  return first!.padEnd(20) + cells.map((cell, at) => cell.padEnd(widths[at]!)).join('');
}

function lineOf({ name, kills, fitMs, resumed, most, skipped, broken }: KilledTrainer): string {
  if (skipped !== undefined) return line(name, '0', '–', '–', '–', skipped);
  const alone = fitMs < 1000 ? `${Math.round(fitMs)} ms` : `${(fitMs / 1000).toFixed(1)} s`;
  const again = most === undefined ? 'too quick to tell' : resumed === 0 ? 'begins again' : `${Math.round(100 * most)} % of a fit`;
  return line(name, String(kills), alone, `${resumed} of ${kills}`, again, broken ?? 'same SHA-256');
}
