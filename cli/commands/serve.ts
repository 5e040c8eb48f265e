import { join } from 'node:path';
import type { Command } from 'commander';
import type { Log } from '../../core/step-context.ts';
import { portSettings } from '../../workers/expect-room.ts';
import { expectFree } from '../../workers/ports.ts';
import { serviceNews } from '../service-news.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import type { Workplace } from '../workplace.ts';
import { portNumber } from '../numbers.ts';

interface ServeFlags extends VerbOptions {
  readonly port?: number;
  readonly host?: string;
}

export function serveCommand(program: Command): void {
  verb(program, 'serve', 'run the prediction server and its page on what the store holds, until Ctrl-C; needs no Temporal', [
    'serve',
    'serve --port 8080',
    'serve --host 0.0.0.0 --port 8080     # open to the network',
  ])
    .option('--port <port>', 'default PERENNIAL_PORT, else a free one', portNumber)
    .option('--host <host>', 'default 127.0.0.1: this machine only')
    .action((flags: ServeFlags) => perform(flags, (at) => serve(at, flags)));
}

async function serve(at: Workplace, { host, port = at.settings.port }: ServeFlags): Promise<void> {
  if (port !== undefined || host !== undefined) await expectFree(port ?? 0, ...portSettings.serving, host);
  const [{ startServing }, { supervise }] = await Promise.all([import('../../workers/serving.ts'), import('../../workers/supervisor.ts')]);
  const { store, home, security } = at.settings;
  let url: string | undefined;
  const service = {
    name: 'prediction server',
    async start() {
      const server = await startServing({
        store,
        workFolder: join(home, 'work'),
        featuresFolder: join(home, 'features'),
        log: logTo(at.out.say),
        ...(security.signing && { signing: security.signing }),
        ...(host !== undefined && { host }),
        ...(port !== undefined && { port }),
      });
      url = server.url;
      return { ended: new Promise<never>(() => {}), stop: server.close };
    },
  };
  const supervisor = supervise([service], {
    onEvent(event) {
      const news = serviceNews(event);
      if (news !== undefined) at.out.say(news);
    },
  });
  await supervisor.start();
  if (url !== undefined) at.out.result({ url, store }, () => `${url}\nCtrl-C stops it.`);
  await supervisor.done;
}

/** One line of text an event, with its fields as JSON. */
function logTo(say: (line: string) => void): Log {
  const write =
    (level: string) =>
    (phrase: string, fields: Readonly<Record<string, unknown>> = {}) =>
      say(`${new Date().toISOString()} ${level} ${phrase} ${JSON.stringify(fields)}`);
  return { debug: () => {}, info: write('info'), warn: write('warn'), error: write('error') };
}
