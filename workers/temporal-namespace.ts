import type { ConnectionLike } from '@temporalio/client';
import { MlError } from '../core/errors.ts';
import { searchKeys } from '../workflows/search-attributes.ts';

/** Temporal's types of search attributes: the name in commands, the number on the wire. */
const types = {
  TEXT: { written: 'Text', wire: 1 },
  KEYWORD: { written: 'Keyword', wire: 2 },
  INT: { written: 'Int', wire: 3 },
  DOUBLE: { written: 'Double', wire: 4 },
  BOOL: { written: 'Bool', wire: 5 },
  DATETIME: { written: 'Datetime', wire: 6 },
  KEYWORD_LIST: { written: 'KeywordList', wire: 7 },
} as const;

/** What Perennial sets on its workflows, as a server must have it. */
export const searchAttributes = Object.values(searchKeys).map(({ name, type }) => ({ name, ...types[type] }));

/**
 * Registers what is missing; a worker must not start before, since a workflow that sets an unknown one fails its workflow task for ever.
 * @throws {MlError} `TemporalUnavailable` when one exists with another type, or when we may not register.
 */
export async function ensureSearchAttributes(connection: ConnectionLike, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  for (const { name, wire } of searchAttributes) {
    const is = customAttributes[name];
    if (is === undefined || is === wire) continue;
    throw new MlError(
      'TemporalUnavailable',
      `search attribute ${name} of namespace "${namespace}" has another type: remove it, or use another namespace`,
      {
        name,
        namespace,
      },
    );
  }
  const missing = searchAttributes.filter(({ name }) => customAttributes[name] === undefined).map(({ name, wire }) => [name, wire] as const);
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
