import { z } from 'zod';
import type { Done } from '../../activities/compute/script-folder.ts';
import { MlError } from '../../core/errors.ts';

/** A file's name inside the script's folder. */
const path = z
  .string()
  .regex(/^[^/\\]+$/, 'a file in the folder itself')
  .refine((name) => name !== '.' && name !== '..');
const numbers = z.record(z.string(), z.number());
const values = z.record(z.string(), z.json()).default({});

const message = z.union([
  z.strictObject({ progress: z.strictObject({ done: z.number(), total: z.number() }) }),
  z.strictObject({ log: z.string() }),
  z.strictObject({ metric: numbers }),
  z.strictObject({ checkpoint: path }),
  z.strictObject({
    done: z.strictObject({
      model: path,
      chosen: values,
      facts: values,
      answers: z.array(z.union([z.number(), z.array(z.number())])).default([]),
    }),
  }),
]);

/** What a script may say, a line of JSON each. `done` is its last. */
export type Message = z.infer<typeof message> & { readonly done?: Done };

const kinds = ['progress', 'log', 'metric', 'checkpoint', 'done'];

/** A line of a script's standard output. What is no message is what some library printed. @throws {MlError} `ScriptFailed` for half a message. */
export function messageOf(line: string): Message {
  const value = objectIn(line);
  const kind = Object.keys(value ?? {})[0];
  if (kind === undefined || !kinds.includes(kind)) return { log: line };
  const parsed = message.safeParse(value);
  if (parsed.success) return parsed.data as Message;
  throw new MlError('ScriptFailed', `the script said ${line.slice(0, 200)}, which is no "${kind}" of the protocol: see docs/python-trainers.md`);
}

function objectIn(line: string): object | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined; // A line that only looks like it.
  }
}
