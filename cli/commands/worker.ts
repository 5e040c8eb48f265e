import { type Command, InvalidArgumentError } from 'commander';
import { MlError } from '../../core/errors.ts';
import type { Role } from '../../core/ids.ts';
import { allRoles } from '../../workers/slots.ts';
import { portNumber } from '../numbers.ts';
import { expectFree } from '../../workers/ports.ts';
import { serviceNews } from '../service-news.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import type { Workplace } from '../workplace.ts';

interface WorkerFlags extends VerbOptions {
  readonly roles?: readonly Role[];
  readonly port?: number;
  readonly host?: string;
  readonly makeCurrent?: boolean;
}

export function workerCommand(program: Command): void {
  verb(program, 'worker', 'run a worker alone, until it is told to stop: it needs a Temporal server (TEMPORAL_ADDRESS) and the store', [
    'worker',
    'worker --roles control --port 9464    # GET /v1/health/ready and /metrics',
    'worker --roles compute,gpu --json     # one line of JSON a log message, too',
  ])
    .option('--roles <roles>', `what it takes on, of ${allRoles.join(', ')}; default: worker.roles, else all`, rolesOf)
    .option('--port <port>', 'answer probes and Prometheus there', portNumber)
    .option('--host <host>', 'where to answer them; default 127.0.0.1: this machine only')
    .option('--make-current', 'with worker.deployment: new runs go to this build from now on')
    .action((flags: WorkerFlags) => perform(flags, (at) => worker(at, flags)));
}

function rolesOf(text: string): readonly Role[] {
  const roles = [...new Set(text.split(','))];
  const unknown = roles.filter((role) => !(allRoles as readonly string[]).includes(role));
  if (unknown.length > 0) throw new InvalidArgumentError(`${unknown.join(', ')} is no role: name some of ${allRoles.join(', ')}.`);
  return roles as Role[];
}

/** How long a worker may take to hand back what it does, before everything of it is ended. Less than a container is given. */
const graceMs = 20_000;

async function worker(at: Workplace, { json = false, port, host, ...flags }: WorkerFlags): Promise<void> {
  if (port !== undefined) await expectFree(port, "the worker's probes", '--port', host);
  const [{ processService }, { supervise }, { workerSettings }, { compiled }, { typescriptArgv }] = await Promise.all([
    import('../../workers/process-service.ts'),
    import('../../workers/supervisor.ts'),
    import('../../workers/worker-settings.ts'),
    import('../../workers/compiled.ts'),
    import('../../workers/register-typescript.ts'),
  ]);
  const temporal = at.settings.temporal.given ?? (await at.running())?.temporal;
  if (temporal === undefined) {
    throw new MlError('TemporalUnavailable', 'a worker alone starts no server: set TEMPORAL_ADDRESS to one that runs, or use `perennial dev`');
  }
  let facts: unknown;
  const service = processService({
    name: 'worker',
    entry: compiled('workers/worker-process'),
    execArgv: typescriptArgv,
    input: {
      ...workerSettings(at.settings, await at.project()),
      ...flags,
      ...(port !== undefined && { probes: { port, host: host ?? '127.0.0.1' } }),
      logs: json ? 'json' : 'compact',
      temporal,
      prepareNamespace: true,
    },
    onReady: (said) => (facts = said),
    graceMs,
  });
  const supervisor = supervise([service], {
    onEvent(event) {
      const news = serviceNews(event);
      if (news !== undefined) at.out.say(news);
    },
  });
  await supervisor.start();
  if (facts !== undefined) at.out.result(facts, () => `${JSON.stringify(facts)}\nCtrl-C or TERM stops it: what it does is handed back.`);
  await supervisor.done;
}
