import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { asMlError, connect } from '../client/index.ts';
import type { PerennialClient, RunHandle } from '../client/index.ts';
import { MlError } from '../core/errors.ts';
import type { TrainOutcome } from '../core/run.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { allRows, segmentLabel } from '../core/segment.ts';
import type { CompareMonthsRequest, MonthTable } from '../pipelines/movies/compare-months.workflow.ts';
import type { CompareProtocolsRequest } from '../pipelines/movies/compare-protocols.workflow.ts';
import { applySpec } from '../registry/apply-spec.ts';
import { openRegistry } from '../registry/registry.ts';
import type { Registry } from '../registry/registry.ts';
import { startUserDataApi } from '../simulation/user-data-api.ts';
import { openBlobs } from '../stores/blobs.ts';
import type { Blobs } from '../stores/blobs.ts';
import { openStore } from '../stores/open-store.ts';
import { compiled } from '../workers/compiled.ts';
import { loadConfig, loadSettings, settingsOf } from '../workers/config.ts';
import type { Settings } from '../workers/config.ts';
import { devServices } from '../workers/dev-services.ts';
import { cipherOf } from '../workers/encryption.ts';
import { loadProject } from '../workers/project.ts';
import type { Running } from '../workers/running.ts';
import { supervise } from '../workers/supervisor.ts';
import { homeFor, prepareData } from './demo/data.ts';
import type { DemoData } from './demo/data.ts';
import { monthWindow, protocols } from './demo/plan.ts';
import { figures, segmentResult } from './demo/result.ts';
import type { DemoResult, Recommended, Segment } from './demo/result.ts';
import { farewell, summary } from './demo/show.ts';
import { root } from './root.ts';
import { serviceNews } from './service-news.ts';

interface DemoOptions {
  readonly data?: string;
  readonly exit?: boolean;
  readonly json?: boolean;
}

/** The recommender's own months. */
const months = [10, 12];
const recommender = 'movie-recommender';
const tokenVariable = 'USER_DATA_TOKEN';

export function demoCommand(program: Command): void {
  program
    .command('demo')
    .description('a movie recommender from raw sources to served recommendations, with everything that it needs')
    .option('--data <folder>', 'ratings.csv, movies.csv and tags.csv in the MovieLens layout, instead of a simulated service')
    .option('--exit', 'stop everything at the end, instead of waiting for Ctrl-C')
    .option('--json', 'print the results as one JSON object on standard output')
    .addHelpText(
      'after',
      `
Examples:
  npm run demo
  npm run demo -- --data ../ml-latest-small
  npm run demo -- --exit --json > demo.json`,
    )
    .action((options: DemoOptions) => demo(options));
}

/**
 * The demo is a project that lies in Perennial itself. In a clone that is its source; the package has it compiled, and then what the demo makes stays
 * where the command was given.
 */
async function demoSettings(): Promise<Settings> {
  if (existsSync(join(root, 'pipelines'))) return loadSettings(root);
  const project = dirname(compiled('index'));
  return { ...settingsOf(await loadConfig(project), process.cwd(), process.env), pipelines: join(project, 'pipelines') };
}

async function demo(options: DemoOptions): Promise<void> {
  const began = performance.now();
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const base = await demoSettings();
  const home = homeFor(base.home, options.data);
  const data = await prepareData(options.data, home, say);
  say(`${data.ratings.toLocaleString('en')} ratings of ${data.users.toLocaleString('en')} viewers in ${data.folder}`);

  // A secret of this run: the worker inherits the variable, and specs and histories know only its name.
  const token = randomBytes(24).toString('hex');
  process.env[tokenVariable] = token;
  const project = await loadProject(base);
  const api = await startUserDataApi({ ratings: `${data.folder}/ratings.csv`, token });
  const settings = settingsFor(base, home, data, api.url);
  const dev = devServices(settings, project, { onProgress: say });
  let interrupted = false;
  const supervisor = supervise(dev.services, {
    onEvent: (event) => {
      const news = serviceNews(event);
      if (news !== undefined) say(news);
      if (event.kind === 'stop') interrupted = event.reason !== 'asked';
    },
  });
  const stopped = supervisor.done.finally(() => api.close());
  stopped.catch(() => {});
  try {
    await supervisor.start();
    // A Ctrl-C during the start: the rest has nothing to work with.
    if (interrupted) return void (await stopped);
    const setUp = performance.now();
    const cipher = await cipherOf(settings.security);
    const client = await connect({
      ...(cipher && { cipher }),
      ...settings.temporal.given,
      address: dev.links().temporal.address,
      namespace: settings.temporal.namespace,
      taskQueue: settings.taskQueue,
    });
    const store = await openStore(settings.store);
    const blobs = await openBlobs(store, `${home}/work/blobs`);
    const result = await tell({
      client,
      registry: openRegistry(store, blobs),
      blobs,
      specs: project.specs,
      data,
      links: dev.links(),
      say,
      setUpSeconds: (setUp - began) / 1000,
    });
    await client.close();
    if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    else process.stdout.write(`${summary(result)}\n`);
    if (options.exit) await supervisor.stop();
    else say(farewell(result, { home, isDefaultHome: home === base.home }));
  } catch (error) {
    // What a Ctrl-C takes away in mid-work is no failure; the runs are in Temporal's database, and go on with the next demo.
    if (!interrupted) {
      await supervisor.stop();
      throw error;
    }
  }
  await stopped;
}

function settingsFor(base: Settings, home: string, data: DemoData, apiUrl: string): Settings {
  return {
    ...base,
    home,
    store: base.home === home ? base.store : `${home}/store`,
    temporal: { ...base.temporal, dataFolder: `${home}/temporal` },
    connections: {
      ...base.connections,
      catalogue: { kind: 'folder', path: data.folder },
      'user-data-api': { kind: 'http', baseUrl: apiUrl, allowedHosts: [new URL(apiUrl).host], token: { env: tokenVariable } },
    },
  };
}

interface DemoRun {
  readonly client: PerennialClient;
  readonly registry: Registry;
  readonly blobs: Blobs;
  readonly specs: ReadonlyMap<string, ModelSpec>;
  readonly data: DemoData;
  readonly links: Running;
  readonly say: (line: string) => void;
  readonly setUpSeconds: number;
}

/** The main job: rules first, since the learned model must beat one of them; then all rows and the two months; then what it is worth. */
async function tell(run: DemoRun): Promise<DemoResult> {
  const { client, registry, blobs, specs, data, links } = run;
  const clock = stopwatch(run.setUpSeconds);
  for (const spec of specs.values()) await applySpec(registry, blobs, spec, 'demo');
  const spec = specs.get(recommender)!;
  const labels = months.map((month) => segmentLabel(spec.segments!.by, month));

  // One after the other: the second finds the sources read.
  for (const name of ['top-movies', 'four-star-movies']) await trainAndSay(run, specs.get(name)!, allRows);
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

  const byProtocol = await mapValues(evaluations, (evaluation) => figures(blobs, evaluation, recommender));
  const byMonth = await Promise.all(
    Object.entries(table).map(async ([segment, { evaluation }]) => {
      const { byName, gains } = await figures(blobs, evaluation, segment);
      return [segment, { versions: Object.fromEntries(Object.entries(byName).map(([name, values]) => [name, values['ndcg@10']!])), gains }] as const;
    }),
  );
  const models = await Promise.all(
    [...specs.keys()].map(async (model) => {
      const segments = model === recommender ? [allRows, ...labels] : [allRows];
      const states = await Promise.all(
        segments.map(async (segment): Promise<[string, Segment]> => [segment, await segmentResult(registry, model, segment)]),
      );
      return [model, { segments: Object.fromEntries(states) }] as const;
    }),
  );
  const { champion } = await segmentResult(registry, recommender, allRows);
  const recommendations = champion === null ? {} : await askTheServer(run);
  clock.lap('recommendations');
  return {
    page: links.page!,
    temporal: links.temporal.uiUrl ?? links.temporal.address,
    models: Object.fromEntries(models),
    protocols: Object.fromEntries(Object.entries(byProtocol).map(([name, { byName }]) => [name, byName])),
    protocolGains: Object.fromEntries(Object.entries(byProtocol).map(([name, { gains }]) => [name, gains])),
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
  const handle = await client.train(spec, { segment, trigger: 'demo', by: 'demo', ...(window && { window }) });
  const outcome = await followAndSay(handle, `${spec.name}, ${segment}`, say);
  const told =
    outcome.outcome === 'unchanged' ? outcome.reason : `v${outcome.version} is ${outcome.verdict.name}: ${outcome.verdict.reasons.at(0) ?? ''}`;
  say(`${spec.name}, ${segment}: ${outcome.outcome}. ${told}`);
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

/** Asks over HTTP, as an application would, for a few viewers. */
async function askTheServer({ links }: DemoRun): Promise<Readonly<Record<string, readonly Recommended[]>>> {
  await untilServing(links.page!);
  const users = (await getJson<{ users: readonly { id: string }[] }>(`${links.page}/v1/users?limit=3`)).users.map(({ id }) => id);
  const answers = users.map(async (user) => {
    const body = JSON.stringify({ user, count: 5 });
    const { items } = await getJson<{ items: readonly Recommended[] }>(`${links.page}/v1/models/${recommender}/recommend`, body);
    return [user, items.map(({ id, title }) => ({ id, title }))] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}

/** The server follows the registry; what was promoted a moment ago is on its way. */
async function untilServing(page: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const { models } = await getJson<{ models: readonly { model: string; segments: readonly { serving: unknown }[] }[] }>(`${page}/v1/models`);
    if (models.some(({ model, segments }) => model === recommender && segments.some(({ serving }) => serving))) return;
    await sleep(100);
  }
  throw new MlError('NotServing', `${page} does not serve ${recommender}: ${page}/health says why`);
}

async function getJson<T>(url: string, body?: string): Promise<T> {
  const response = await fetch(url, body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

async function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => Promise<B>): Promise<Readonly<Record<string, B>>> {
  return Object.fromEntries(await Promise.all(Object.entries(record).map(async ([key, value]) => [key, await map(value)] as const)));
}

function stopwatch(setUp: number): { lap(name: string): void; seconds(): Readonly<Record<string, number>> } {
  const laps: Record<string, number> = { setUp };
  let last = performance.now();
  const round = (seconds: number) => Math.round(seconds * 100) / 100;
  return {
    lap(name) {
      laps[name] = (performance.now() - last) / 1000;
      last = performance.now();
    },
    seconds: () => ({
      ...Object.fromEntries(Object.entries(laps).map(([name, seconds]) => [name, round(seconds)])),
      total: round(Object.values(laps).reduce((sum, seconds) => sum + seconds, 0)),
    }),
  };
}
