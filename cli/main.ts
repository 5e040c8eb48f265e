#!/usr/bin/env node
/** `perennial`: one file a verb in `commands/`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { tellFailure } from './failure.ts';
import { expectNode } from './node-version.ts';
import { root } from './root.ts';
import { StrictCommand } from './strict-command.ts';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };

// Told at every start on a bucket, of versions that are not installed: ours is pinned (decision 12).
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

const program = new StrictCommand('perennial')
  .description('Machine-learning systems that never stop working.')
  .version(version)
  .helpCommand(false)
  .exitOverride()
  // Errors are told in one place, and in one form.
  .configureOutput({ outputError: () => {} })
  .addHelpText(
    'after',
    `
A version is written <model>[/<segment>][@<version>|@champion|@previous]; a window 2025-10-01..2025-11-01 (the end is outside), or 2025-10.
Exit codes: 0 done, 1 failed, 2 misused. With --json standard output is one JSON value. Errors are explained in docs/errors.md.

Examples:
  perennial dev
  perennial train movie-recommender
  perennial versions movie-recommender`,
  );

/** Only what is asked for is loaded: `versions` should not wait for DuckDB and Temporal. Help lists all, in this order. */
const verbs: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  init: async () => (await import('./commands/init.ts')).initCommand,
  demo: async () => (await import('./demo.ts')).demoCommand,
  dev: async () => (await import('./commands/dev.ts')).devCommand,
  apply: async () => (await import('./commands/apply.ts')).applyCommand,
  train: async () => (await import('./commands/train.ts')).trainCommand,
  run: async () => (await import('./commands/run.ts')).runCommand,
  runs: async () => (await import('./commands/runs.ts')).runsCommand,
  show: async () => (await import('./commands/show.ts')).showCommand,
  cancel: async () => (await import('./commands/cancel.ts')).cancelCommand,
  versions: async () => (await import('./commands/versions.ts')).versionsCommand,
  compare: async () => (await import('./commands/compare.ts')).compareCommand,
  approve: async () => (await import('./commands/approve.ts')).approveCommand,
  reject: async () => (await import('./commands/reject.ts')).rejectCommand,
  promote: async () => (await import('./commands/promote.ts')).promoteCommand,
  rollback: async () => (await import('./commands/rollback.ts')).rollbackCommand,
  lineage: async () => (await import('./commands/lineage.ts')).lineageCommand,
  'explain-cache': async () => (await import('./commands/explain-cache.ts')).explainCacheCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  replay: async () => (await import('./commands/replay.ts')).replayCommand,
  verify: async () => (await import('./commands/verify.ts')).verifyCommand,
  store: async () => (await import('./commands/store.ts')).storeCommand,
  reproduce: async () => (await import('./commands/reproduce.ts')).reproduceCommand,
  prune: async () => (await import('./commands/prune.ts')).pruneCommand,
  erase: async () => (await import('./commands/erase.ts')).eraseCommand,
  sign: async () => (await import('./commands/sign.ts')).signCommand,
  export: async () => (await import('./commands/export.ts')).exportCommand,
  backfill: async () => (await import('./commands/backfill.ts')).backfillCommand,
  worker: async () => (await import('./commands/worker.ts')).workerCommand,
  'codec-server': async () => (await import('./commands/codec-server.ts')).codecServerCommand,
  serve: async () => (await import('./commands/serve.ts')).serveCommand,
  predict: async () => (await import('./commands/predict.ts')).predictCommand,
  features: async () => (await import('./commands/features.ts')).featuresCommand,
  sample: async () => (await import('./commands/sample.ts')).sampleCommand,
};
// `perennial help train` is what many tools understand.
if (process.argv[2] === 'help') process.argv.splice(2, 2, ...process.argv.slice(3, 4), '--help');
const asked = process.argv[2] ?? '';

// Whoever reads our output may have seen enough (`perennial runs | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const json = process.argv.includes('--json');
try {
  expectNode();
  for (const name of Object.hasOwn(verbs, asked) ? [asked] : Object.keys(verbs)) (await verbs[name]!())(program);
  await program.parseAsync();
} catch (error) {
  process.exitCode = await tellFailure(error, {
    json,
    debug: process.env['PERENNIAL_DEBUG'] === '1',
    help: `perennial ${Object.hasOwn(verbs, asked) ? `${asked} ` : ''}--help`,
  });
}
