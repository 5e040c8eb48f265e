import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { connect } from '../client/index.ts';
import { openRegistry } from '../registry/registry.ts';
import { startUserDataApi } from '../simulation/user-data-api.ts';
import { openBlobs } from '../stores/blobs.ts';
import { openStore } from '../stores/open-store.ts';
import { compiled } from '../workers/compiled.ts';
import { loadConfig, loadSettings, settingsOf } from '../workers/config.ts';
import type { Settings } from '../workers/config.ts';
import { devServices } from '../workers/dev-services.ts';
import { expectRoom } from '../workers/expect-room.ts';
import { cipherOf } from '../workers/encryption.ts';
import { loadProject } from '../workers/project.ts';
import { supervise } from '../workers/supervisor.ts';
import { homeFor, prepareData } from './demo/data.ts';
import type { DemoData } from './demo/data.ts';
import { farewell, kept, summary } from './demo/show.ts';
import { tell } from './demo/story.ts';
import { root } from './root.ts';
import { serviceNews } from './service-news.ts';

interface DemoOptions {
  readonly data?: string;
  readonly exit?: boolean;
  readonly json?: boolean;
}

/** The package has no sources of the demo. */
const isClone = existsSync(join(root, 'pipelines'));
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
  if (isClone) return loadSettings(root);
  const project = dirname(compiled('index'));
  return { ...settingsOf(await loadConfig(project), process.cwd(), process.env), pipelines: join(project, 'pipelines') };
}

async function demo(options: DemoOptions): Promise<void> {
  const began = performance.now();
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const base = await demoSettings();
  const home = homeFor(base.home, options.data);
  await expectRoom({ ...base, home });
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
      if (event.kind !== 'stop') return;
      interrupted = event.reason !== 'asked';
      if (interrupted) say(kept({ home, data: options.data, isClone }));
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
    const story = tell({
      client,
      registry: openRegistry(store, blobs),
      blobs,
      specs: project.specs,
      data,
      links: dev.links(),
      say,
      setUpSeconds: (setUp - began) / 1000,
    });
    const result = await Promise.race([story, stopped.then(() => undefined)]);
    // What it asks of a server that a Ctrl-C took away is tried again for most of a minute, and nothing is left here to wait for.
    if (result === undefined) process.exit();
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
