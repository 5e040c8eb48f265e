import { DefaultLogger } from '@temporalio/worker';
import type { LogEntry, LogLevel, Logger } from '@temporalio/worker';
import { isErrorCode } from '../core/errors.ts';

/** What the SDK adds to every message and nobody reads on a terminal. */
const noise = new Set([
  'sdkComponent',
  'namespace',
  'taskQueue',
  'taskToken',
  'isLocal',
  'runId',
  'activityId',
  'durationMs',
  'error',
  'workflowRunId',
]);

const expected = new Set([
  // Said of the compute role's worker, which runs no workflows on purpose.
  'No workflows registered, not polling for workflow tasks',
  // A run that closes while somebody asks how far it is.
  'Query not found when attempting to respond to it',
]);

/** Temporal's wrappers. What a workflow threw has lost its fields on the way here; the step that failed has had its own line. */
const wrapper = /^(ApplicationFailure|ActivityFailure|ChildWorkflowFailure)\b/;

/** One line a message: level, constant phrase, fields. Errors with a code are somebody's answer and need no stack; others are bugs and show theirs. */
export function compactLogger(level: LogLevel, write: (line: string) => void = (line) => void process.stderr.write(line)): Logger {
  return new DefaultLogger(level, (entry) => {
    if (!expected.has(entry.message)) write(`${lineOf(entry)}\n`);
  });
}

/** One JSON object a line, for machines that collect them. */
export function jsonLogger(level: LogLevel, write: (line: string) => void = (line) => void process.stderr.write(line)): Logger {
  return new DefaultLogger(level, ({ level: of, message, meta = {}, timestampNanos }) => {
    if (expected.has(message)) return;
    const { error, ...fields } = meta as Readonly<Record<string, unknown>>;
    const at = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
    write(`${shown({ at, level: of.toLowerCase(), message, ...fields, ...(error !== undefined && { error: faultIn(error) }) })}\n`);
  });
}

export function lineOf({ level, message, meta = {} }: Pick<LogEntry, 'level' | 'message' | 'meta'>): string {
  const fields = Object.entries(meta)
    .filter(([name, value]) => !noise.has(name) && value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === 'string' && !/[\s"=]/.test(value) ? value : shown(value)}`);
  const fault = meta['error'] === undefined ? [] : [faultIn(meta['error'])];
  return [level.toLowerCase(), message, ...fields, ...fault].join(' ').trimEnd();
}

function faultIn(error: unknown): string {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if ('type' in each && isErrorCode(each.type)) return `${each.type}: ${oneLine(each.message)}`;
    if (each.name === 'CancelledFailure') return oneLine(each.message);
  }
  if (error instanceof Error && wrapper.test(error.stack ?? '')) return oneLine(error.message);
  return error instanceof Error ? (error.stack ?? error.message) : shown(error);
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');

function shown(value: unknown): string {
  try {
    return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each)) ?? String(value);
  } catch {
    return String(value);
  }
}
