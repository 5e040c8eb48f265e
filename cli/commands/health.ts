import { hostname } from 'node:os';
import type { Command } from 'commander';
import { MlError } from '../../core/errors.ts';
import { messageOf } from '../../core/message-of.ts';
import { taskQueue } from '../../core/ids.ts';
import type { Role } from '../../core/ids.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import type { Workplace } from '../workplace.ts';

export function healthCommand(program: Command): void {
  verb(program, 'health', 'ask the prediction server (where PERENNIAL_PORT is set) or else the worker of this machine whether it works: for probes', [
    'health',
  ]).action((flags: VerbOptions) => perform(flags, health));
}

async function health(at: Workplace): Promise<void> {
  const { port } = at.settings;
  const answer = port === undefined ? await workerHealth(at) : await serverHealth(port);
  at.out.result(answer, () => 'well');
}

async function serverHealth(port: number): Promise<object> {
  const url = `http://127.0.0.1:${port}/health`;
  const response = await fetch(url, { signal: AbortSignal.timeout(4000) }).catch((cause: Error) => {
    throw new MlError('NotServing', `${url} does not answer: ${messageOf(cause.cause ?? cause)}`, { url }, { cause });
  });
  if (!response.ok) throw new MlError('NotServing', `${url} answers ${response.status}`, { url, status: response.status });
  return { server: url };
}

const roles: readonly Role[] = ['control', 'compute', 'gpu'];

/** A worker that waits for work asks anew each minute; whoever has been silent for longer is gone. */
const silentMs = 90_000;

/** Temporal's word for it: a process may live and yet have lost its way to the server. */
async function workerHealth(at: Workplace): Promise<object> {
  const { temporal, taskQueue: base } = (await at.temporal()).client;
  const polled: string[] = [];
  for (const name of roles.map((role) => taskQueue(base, role))) {
    const { pollers } = await temporal.workflowService.describeTaskQueue({
      namespace: temporal.options.namespace,
      taskQueue: { name },
      // Activities: each role has them.
      taskQueueType: 2,
    });
    const ours = (pollers ?? []).some(
      ({ identity, lastAccessTime }) =>
        identity?.endsWith(`@${hostname()}`) === true && Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1000 < silentMs,
    );
    if (ours) polled.push(name);
  }
  if (polled.length > 0) return { queues: polled };
  const message = `no worker of ${hostname()} takes work from ${base}: look at the log of \`perennial worker\``;
  throw new MlError('TemporalUnavailable', message, { taskQueue: base, host: hostname() });
}
