import { join, resolve } from 'node:path';
import cliProgress from 'cli-progress';
import type { Command } from 'commander';
import { fetchMovielens } from '../../data/sample.ts';
import { simulateStreamingService } from '../../simulation/streaming-service.ts';
import { misuse } from '../misuse.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { count, plural } from '../words.ts';
import type { Workplace } from '../workplace.ts';
import { wholeNumber } from '../numbers.ts';

interface FetchFlags extends VerbOptions {
  readonly to?: string;
}

interface SimulateFlags extends FetchFlags {
  readonly seed?: number;
  readonly users?: number;
  readonly films?: number;
  readonly from?: string;
  readonly until?: string;
}

export function sampleCommand(program: Command): void {
  const sample = program.command('sample').description('data to try things with').helpCommand(false);
  verb(sample, 'fetch <name>', 'download a data set from its publisher, and check it', [
    'sample fetch movielens',
    'sample fetch movielens --to data/ml-latest-small',
  ])
    .option('--to <folder>', 'default: ml-latest-small in the folder of samples')
    .action((name: string, flags: FetchFlags) => perform(flags, (at) => fetchSample(at, name, flags)));
  verb(sample, 'simulate', 'write the ratings of an invented streaming service, in the MovieLens layout; the same options give the same bytes', [
    'sample simulate',
    'sample simulate --to data/simulated --seed 7 --users 500',
  ])
    .option('--to <folder>', 'default: simulated-<seed> in the folder of samples')
    .option('--seed <number>', 'default 2024', wholeNumber)
    .option('--users <count>', 'default 1200', wholeNumber)
    .option('--films <count>', 'default 700', wholeNumber)
    .option('--from <date>', 'first day; default 2024-01-01', date)
    .option('--until <date>', 'the day after the last; default 2026-01-01', date)
    .action((flags: SimulateFlags) => perform(flags, (at) => simulate(at, flags)));
}

function date(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw misuse(`"${text}" is no date: write it as 2024-01-01`);
}

const folderOf = (at: Workplace, to: string | undefined, name: string): string =>
  to === undefined ? join(at.settings.home, 'samples', name) : resolve(to);

async function fetchSample(at: Workplace, name: string, { to }: FetchFlags): Promise<void> {
  if (name !== 'movielens') throw misuse(`there is no sample "${name}": there is movielens`);
  const bar = process.stderr.isTTY
    ? new cliProgress.SingleBar({ format: '  {bar} {value} of {total} kB', stream: process.stderr, clearOnComplete: true })
    : undefined;
  let begun = false;
  try {
    const fetched = await fetchMovielens({
      to: folderOf(at, to, 'ml-latest-small'),
      onProgress(doneBytes, totalBytes) {
        if (bar === undefined || totalBytes === undefined) return;
        const [done, total] = [Math.round(doneBytes / 1000), Math.round(totalBytes / 1000)];
        if (begun) bar.update(done);
        else bar.start(total, done);
        begun = true;
      },
    });
    at.out.result(fetched, () =>
      [
        `${fetched.folder} ${fetched.present ? 'has it already, checked' : 'has it now, checked'}`,
        ...fetched.files.map(({ path, bytes, sha256 }) => `  ${path}  ${count(bytes)} bytes  ${sha256}`),
        fetched.terms,
        `Try it: perennial demo --data ${fetched.folder}`,
      ].join('\n'),
    );
  } finally {
    bar?.stop();
  }
}

async function simulate(at: Workplace, { to, seed = 2024, users, films, from, until }: SimulateFlags): Promise<void> {
  const folder = folderOf(at, to, `simulated-${seed}`);
  const made = await simulateStreamingService(folder, {
    seed,
    ...(users !== undefined && { users }),
    ...(films !== undefined && { films }),
    ...(from !== undefined && { from }),
    ...(until !== undefined && { to: until }),
  });
  at.out.result({ folder, seed, ...made }, () =>
    [
      `${folder}: ${plural(made.ratings, 'rating')} of ${plural(made.films, 'film')} by ${plural(made.users, 'user')}, ${plural(made.tags, 'tag')}`,
      `Try it: perennial demo --data ${folder}`,
    ].join('\n'),
  );
}
