import type { ConnectionLike } from '@temporalio/client';
import { MlError } from '../core/errors.ts';

/** Temporal's types of search attributes: the name in commands, the number on the wire. */
const types = { Keyword: 2, Double: 4, Datetime: 6, KeywordList: 7 } as const;

/** What Perennial sets on its workflows. The namespace is shared with others, so this is all that it takes of the few there are. */
export const searchAttributes = {
  MlModel: 'Keyword',
  MlSegment: 'Keyword',
  MlVersion: 'Keyword',
  MlOutcome: 'Keyword',
  MlTrigger: 'Keyword',
  MlDataTime: 'Datetime',
  MlMetric: 'Double',
  MlInputs: 'KeywordList',
} as const satisfies Record<string, keyof typeof types>;

/**
 * Registers what is missing; a worker must not start before, since a workflow that sets an unknown one fails its workflow task for ever.
 * @throws {MlError} `TemporalUnavailable` when one exists with another type, or when we may not register.
 */
export async function ensureSearchAttributes(connection: ConnectionLike, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const wanted = Object.entries(searchAttributes).map(([name, type]) => [name, types[type]] as const);
  for (const [name, type] of wanted) {
    const is = customAttributes[name];
    if (is === undefined || is === type) continue;
    throw new MlError(
      'TemporalUnavailable',
      `search attribute ${name} of namespace "${namespace}" has another type: remove it, or use another namespace`,
      {
        name,
        namespace,
      },
    );
  }
  const missing = wanted.filter(([name]) => customAttributes[name] === undefined);
  if (missing.length > 0) await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(missing) });
}

/** Keeps closed runs for at least `days`; a development server keeps them for one day. A longer retention stays. */
export async function ensureRetention(connection: ConnectionLike, namespace: string, days = 30): Promise<void> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  const seconds = days * 86_400;
  if (Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) >= seconds) return;
  // Durations on the wire have a 64-bit count; a plain number is accepted, its type is not.
  const ttl = { seconds } as never;
  await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: ttl } });
}
