import type { Command } from 'commander';
import { expectRoom } from '../../workers/expect-room.ts';
import { loadModule } from '../../workers/load-module.ts';
import type { Running } from '../../workers/running.ts';
import { serviceNews } from '../service-news.ts';
import { fields } from '../table.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import type { Workplace } from '../workplace.ts';
import { portNumber } from '../numbers.ts';

interface DevFlags extends VerbOptions {
  readonly port?: number;
  readonly ui: boolean;
}

export function devCommand(program: Command): void {
  verb(program, 'dev', 'run Temporal, a worker, the prediction server and the page, until Ctrl-C', ['dev', 'dev --port 8080'])
    .option('--port <port>', 'of the prediction server and page; default PERENNIAL_PORT, else a free one', portNumber)
    .option('--no-ui', "without Temporal's web UI")
    .action((flags: DevFlags) => perform(flags, (at) => dev(at, flags)));
}

async function dev(at: Workplace, { port, ui }: DevFlags): Promise<void> {
  const settings = port === undefined ? at.settings : { ...at.settings, port };
  await expectRoom(settings);
  const [{ devServices }, { supervise }] = await Promise.all([import('../../workers/dev-services.ts'), import('../../workers/supervisor.ts')]);
  const project = await at.project();
  // A worker would find it out when Temporal has started.
  for (const module of [...project.workflowModules, ...project.stepModules]) await loadModule(module);
  const { services, links } = devServices(settings, project, { onProgress: at.out.say, ui });
  let up = false;
  const supervisor = supervise(services, {
    onEvent(event) {
      const news = serviceNews(event);
      if (news !== undefined) at.out.say(news);
      // The note about where everything is comes last.
      if (event.kind === 'ready' && event.service === 'note') up = true;
    },
  });
  await supervisor.start();
  if (up) at.out.result(links(), () => linksText(links(), [...project.specs.keys()]));
  await supervisor.done;
}

function linksText({ page, temporal, store, home }: Running, models: readonly string[]): string {
  return `
${fields([
  ['page', page ?? ''],
  ['Temporal', temporal.uiUrl ?? temporal.address],
  ['store', store],
  ['models', models.join(', ') || 'none: export one from a file in pipelines/'],
])}

In another terminal: perennial train ${models[0] ?? '<model>'}
Ctrl-C stops everything: what was made stays in ${home}, and open runs go on with the next \`perennial dev\`.`;
}
