import type { Client } from '@temporalio/client';
import { taskQueue, type Role } from '../../core/ids.ts';
import { searchAttributes } from '../../workers/temporal-namespace.ts';
import type { Workplace } from '../workplace.ts';
import { clockFinding } from './clock.ts';
import type { Check, Finding } from './finding.ts';

const leastRetentionDays = 1;
/** The kinds of poller on the wire. */
const taskQueueType = { workflow: 1, activity: 2 } as const;

export const temporal: Check = {
  of: 'temporal',
  async look(at) {
    const reached = await at.temporal().catch((error: Error) => error);
    if (reached instanceof Error) {
      const given = at.settings.temporal.given?.address;
      const state = given === undefined ? 'unseen' : 'ill';
      return [{ of: 'temporal', state, found: reached.message }];
    }
    const client = reached.client.temporal;
    return [await server(client), ...(await namespace(client)), await attributes(client), ...(await workers(at, client))];
  },
};

async function server({ workflowService }: Client): Promise<Finding> {
  const { serverVersion } = await workflowService.getSystemInfo({});
  return { of: 'temporal', state: 'well', found: `server ${serverVersion}` };
}

async function namespace(client: Client): Promise<Finding[]> {
  const name = client.options.namespace;
  const { config } = await client.workflowService.describeNamespace({ namespace: name });
  const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
  const short = days < leastRetentionDays;
  return [
    {
      of: 'namespace',
      state: short ? 'doubtful' : 'well',
      found: `"${name}" keeps closed runs for ${Number(days.toFixed(1))} days`,
      ...(short && {
        cure: `temporal operator namespace update --retention 720h ${name}: a run that is gone before it was swept has no full history`,
      }),
    },
  ];
}

async function attributes(client: Client): Promise<Finding> {
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace: client.options.namespace });
  const wrong = searchAttributes.filter(({ name, wire }) => customAttributes[name] !== undefined && customAttributes[name] !== wire);
  const missing = searchAttributes.filter(({ name }) => customAttributes[name] === undefined);
  if (wrong.length > 0) {
    const names = wrong.map(({ name, written }) => `${name} (should be ${written})`).join(', ');
    return { of: 'search attributes', state: 'ill', found: `of another type: ${names}`, cure: 'remove them, or use a namespace of our own' };
  }
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    return { of: 'search attributes', state: 'doubtful', found: `not registered yet: ${names}`, cure: 'start a worker: it registers them' };
  }
  return { of: 'search attributes', state: 'well', found: `all ${searchAttributes.length} are registered` };
}

async function workers(at: Workplace, client: Client): Promise<Finding[]> {
  const findings: Finding[] = [];
  let newest = -Infinity;
  for (const role of ['control', 'compute'] satisfies Role[]) {
    const queue = taskQueue(at.settings.taskQueue, role);
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: queue },
      taskQueueType: role === 'control' ? taskQueueType.workflow : taskQueueType.activity,
    });
    for (const { lastAccessTime } of pollers) newest = Math.max(newest, Number(lastAccessTime?.seconds ?? 0) * 1000);
    const builds = [...new Set(pollers.flatMap(({ deploymentOptions }) => deploymentOptions?.buildId || []))];
    const identities = pollers.map(({ identity }) => identity).join(', ');
    findings.push(
      pollers.length === 0
        ? { of: 'workers', state: 'doubtful', found: `nobody polls ${queue}`, cure: 'start `perennial dev`, or a worker with this role' }
        : { of: 'workers', state: 'well', found: `${queue}: ${identities}${builds.length > 0 ? `, build ${builds.join(', ')}` : ''}` },
    );
  }
  // A poll lasts a minute at most, so the last one tells the server's clock when it is ahead, and roughly when it is behind.
  const ahead = newest - Date.now();
  if (Number.isFinite(newest) && (ahead > 0 || ahead < -120_000)) findings.push(clockFinding('the Temporal server', ahead));
  return findings;
}
