import { asMlError } from '../../client/index.ts';
import type { PerennialClient, RunHandle } from '../../client/index.ts';
import { messageOf } from '../../core/message-of.ts';
import type { TrainOutcome } from '../../core/run.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import { allRows, segmentLabel } from '../../core/segment.ts';
import type { CompareMonthsRequest, MonthTable } from '../../pipelines/movies/compare-months.workflow.ts';
import type { CompareProtocolsRequest } from '../../pipelines/movies/compare-protocols.workflow.ts';
import { applySpec } from '../../registry/apply-spec.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Blobs } from '../../stores/blobs.ts';
import type { Running } from '../../workers/running.ts';
import { askTheServer } from './ask-server.ts';
import type { DemoData } from './data.ts';
import { monthWindow, protocols } from './plan.ts';
import { figures, segmentResult } from './result.ts';
import type { DemoResult, Segment } from './result.ts';
import { stopwatch } from './stopwatch.ts';
import { trainInTurn } from './train-in-turn.ts';

/** The recommender's own months. */
const months = [10, 12];
const recommender = 'movie-recommender';
/** Trained first, since the learned model must beat one of them. */
const rules = ['top-movies', 'four-star-movies'];

export interface DemoRun {
  readonly client: PerennialClient;
  readonly registry: Registry;
  readonly blobs: Blobs;
  readonly specs: ReadonlyMap<string, ModelSpec>;
  readonly data: DemoData;
  readonly links: Running;
  readonly say: (line: string) => void;
  readonly setUpSeconds: number;
}

/** The main job: rules first; then all rows and the two months; then what it is worth. */
export async function tell(run: DemoRun): Promise<DemoResult> {
  const { client, registry, blobs, specs, data, links } = run;
  const clock = stopwatch(run.setUpSeconds);
  // Other models of the project are none of its business: they learn from data that is not here.
  for (const name of [...rules, recommender]) await applySpec(registry, blobs, specs.get(name)!, 'demo');
  const spec = specs.get(recommender)!;
  const labels = months.map((month) => segmentLabel(spec.segments!.by, month));

  // One after the other: the second finds the sources read.
  for (const name of rules) await trainAndSay(run, specs.get(name)!, allRows);
  clock.lap('rules');
  await trainAndSay(run, spec, allRows);
  await Promise.all(
    months.map(async (month, index) => {
      const window = monthWindow(data, month);
      if (window === undefined) run.say(`${recommender}, ${labels[index]!}: the data has no such month`);
      else await whereThereIsEnough(run, labels[index]!, () => trainAndSay(run, spec, labels[index]!, window));
    }),
  );
  clock.lap('recommender');

  const { table } = await runOwn<{ table: MonthTable }>(client, 'compareMonths', {
    model: recommender,
    segments: labels,
  } satisfies CompareMonthsRequest);
  clock.lap('months');
  const evaluations = await compare(run, spec);
  clock.lap('protocols');

  const byProtocol = await Promise.all(
    Object.entries(evaluations).map(async ([name, evaluation]) => [name, await figures(blobs, evaluation, recommender)] as const),
  );
  const byMonth = await Promise.all(
    Object.entries(table).map(async ([segment, { evaluation }]) => {
      const { byName, gains } = await figures(blobs, evaluation, segment);
      return [segment, { versions: Object.fromEntries(Object.entries(byName).map(([name, values]) => [name, values['ndcg@10']!])), gains }] as const;
    }),
  );
  const models = await Promise.all(
    [...rules, recommender].map(async (model) => {
      const segments = model === recommender ? [allRows, ...labels] : [allRows];
      const states = await Promise.all(
        segments.map(async (segment): Promise<[string, Segment]> => [segment, await segmentResult(registry, model, segment)]),
      );
      return [model, { segments: Object.fromEntries(states) }] as const;
    }),
  );
  const { champion } = await segmentResult(registry, recommender, allRows);
  const recommendations = champion === null ? {} : await askTheServer(links.page!, recommender);
  clock.lap('recommendations');
  return {
    page: links.page!,
    temporal: links.temporal.uiUrl ?? links.temporal.address,
    models: Object.fromEntries(models),
    protocols: Object.fromEntries(byProtocol.map(([name, { byName }]) => [name, byName])),
    protocolGains: Object.fromEntries(byProtocol.map(([name, { gains }]) => [name, gains])),
    months: Object.fromEntries(byMonth),
    recommendations,
    seconds: clock.seconds(),
  };
}

/** The evaluation of each protocol that the data is large enough for. */
async function compare(run: DemoRun, spec: ModelSpec): Promise<Readonly<Record<string, string>>> {
  const evaluations: Record<string, string> = {};
  for (const [name, protocol] of Object.entries(protocols(run.data, spec))) {
    run.say(`protocol ${name}: ${Object.keys(protocol.contenders).join(', ')}`);
    const request = { spec, protocols: { [name]: protocol } } satisfies CompareProtocolsRequest;
    await whereThereIsEnough(run, name, async () => {
      Object.assign(evaluations, (await runOwn<{ evaluations: Record<string, string> }>(run.client, 'compareProtocols', request)).evaluations);
    });
  }
  return evaluations;
}

/** Small data has months and protocols that nobody can be examined in: that is said, and the rest goes on. */
async function whereThereIsEnough(run: DemoRun, what: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const { code, message } = asMlError(error) as { readonly code?: string; readonly message: string };
    if (code !== 'RowsInvalid' && code !== 'DatasetInvalid') throw error;
    run.say(`${what}: left out, ${message}`);
  }
}

/** Starts, or attaches to, a training and says each step as it ends. */
async function trainAndSay({ client, say }: DemoRun, spec: ModelSpec, segment: string, window?: { from: string; to: string }): Promise<TrainOutcome> {
  const name = `${spec.name}, ${segment}`;
  const handle = await trainInTurn(client, spec, { segment, trigger: 'demo', by: 'demo', ...(window && { window }) }, async (earlier) => {
    say(`${name}: a training that was asked for before goes on first`);
    await followAndSay(earlier, name, say).catch((failure: unknown) => say(`it failed: ${messageOf(failure)}`));
  });
  const outcome = await followAndSay(handle, name, say);
  const told =
    outcome.outcome === 'unchanged' ? outcome.reason : `v${outcome.version} is ${outcome.verdict.name}: ${outcome.verdict.reasons.at(0) ?? ''}`;
  say(`${name}: ${outcome.outcome}. ${told}`);
  return outcome;
}

async function followAndSay<Outcome>(handle: RunHandle<Outcome>, name: string, say: (line: string) => void): Promise<Outcome> {
  let told = 0;
  return handle.follow(({ steps }) => {
    const done = steps.filter(({ state }) => state === 'done');
    for (const { summary: text } of done.slice(told)) say(`  ${name}  ${text}`);
    told = Math.max(told, done.length);
  });
}

/** A workflow of the project's own, started as any Temporal client would. */
async function runOwn<Result>(client: PerennialClient, type: string, request: object): Promise<Result> {
  const handle = await client.temporal.workflow.start(type, {
    workflowId: `${type}/${recommender}`,
    taskQueue: client.taskQueue,
    args: [request],
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
  });
  return (await handle.result()) as Result;
}
