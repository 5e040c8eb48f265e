import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { isErrorCode, MlError } from '../../core/errors.ts';
import { messageOf } from '../../core/message-of.ts';
import type { RequestRow } from '../../serving/index.ts';
import { interruptible } from '../interruptible.ts';
import { openProgress } from '../progress.ts';
import { pushedSource, rowsOnInput, type SourceRows, withSourceRows } from '../source-rows.ts';
import { specOf } from '../specs.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { count, duration, plural } from '../words.ts';
import type { Workplace } from '../workplace.ts';

interface PushFlags extends VerbOptions {
  readonly file?: string;
  readonly source?: string;
  readonly server?: string;
}

export function featuresCommand(program: Command): void {
  const features = program.command('features').description('what a server knows of customers and the like').helpCommand(false);
  verb(features, 'push <model>', 'tell a prediction server what happened: rows of the source that windows of a model are over', [
    'features push payment-fraud                             # what the source has, as far back as windows reach',
    'features push payment-fraud --file september.parquet    # a file that looks as the source does; pushing a row again changes nothing',
    'consume payments | perennial features push payment-fraud --file -     # JSON lines, as they come',
  ])
    .option('--file <file>', 'CSV, Parquet or JSON, with the columns of the source; - is JSON lines on standard input, with the names of the spec')
    .option('--source <name>', 'where aggregates are of several')
    .option('--server <url>', 'default: the one that `dev` runs here')
    .action((model: string, flags: PushFlags) => perform(flags, (at) => interruptible((signal) => push(at, model, flags, signal))));
}

async function push(at: Workplace, model: string, { file, source, server }: PushFlags, signal: AbortSignal): Promise<number> {
  const spec = await specOf(at, model);
  const name = pushedSource(spec, source);
  const base = server ?? (await at.running())?.page;
  if (base === undefined)
    throw new MlError(
      'NotServing',
      `nothing serves in ${at.settings.home}: start \`perennial dev\`, or name a server (--server http://127.0.0.1:8080)`,
    );
  const url = `${base.replace(/\/$/, '')}/v1/models/${encodeURIComponent(model)}/features/push`;
  const began = performance.now();
  const pushAll = ({ batches, total }: SourceRows) => pushRows({ url, source: name, batches, signal, ...(total !== undefined && { total }) });
  const pushed = await (file === '-'
    ? pushAll(rowsOnInput(process.stdin))
    : withSourceRows(at, { spec, name, signal, ...(file !== undefined && { file }) }, pushAll));
  const seconds = (performance.now() - began) / 1000;
  at.out.result({ model, source: name, ...pushed, seconds }, () => {
    const { rows, added, changed, known, late } = pushed;
    return `${plural(rows, 'row')} of ${name} in ${duration(1000 * seconds)}: ${count(added)} new, ${count(changed)} changed, ${count(known)} known, ${count(late)} too old for any window`;
  });
  return 0;
}

interface Pushing {
  readonly url: string;
  readonly source: string;
  readonly batches: AsyncIterable<readonly RequestRow[]>;
  readonly total?: number;
  readonly signal: AbortSignal;
}

async function pushRows({ url, source, batches, total, signal }: Pushing) {
  const progress = openProgress();
  const pushed = { rows: 0, added: 0, changed: 0, known: 0, late: 0 };
  try {
    for await (const rows of batches) {
      const answer = await pushBatch(url, { source, rows }, signal);
      pushed.rows += rows.length;
      for (const name of ['added', 'changed', 'known', 'late'] as const) pushed[name] += answer[name];
      progress.working([{ step: 'push', done: pushed.rows, ...(total !== undefined && { total }) }]);
    }
  } finally {
    progress.end();
  }
  return pushed;
}

type Answer = Readonly<Record<'added' | 'changed' | 'known' | 'late', number>>;

/** A server that is started again takes up what it had; rows that it may have taken are pushed again, which changes nothing. */
const patienceMs = 60_000;
const tryEveryMs = 500;

async function pushBatch(url: string, body: object, signal: AbortSignal): Promise<Answer> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const failure = await post(url, body, signal);
    if (!(failure instanceof MlError)) return failure;
    if (!failure.retry || performance.now() > until) throw failure;
    await sleep(tryEveryMs, undefined, { signal });
  }
}

async function post(url: string, body: object, signal: AbortSignal): Promise<Answer | MlError> {
  try {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal });
    const answer = (await response.json()) as Answer | { readonly error: string; readonly code: string };
    if (!('error' in answer)) return answer;
    return new MlError(isErrorCode(answer.code) ? answer.code : 'Bug', answer.error, { url });
  } catch (error) {
    if (signal.aborted) throw error;
    return new MlError('NotServing', `${url} does not answer: ${messageOf((error as Error).cause ?? error)}`, { url }, { cause: error });
  }
}
