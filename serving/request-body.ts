import { z } from 'zod';
import { MlError } from '../core/errors.ts';
import { allRows } from '../core/segment.ts';

export const id = z.string().min(1).max(200);

/** Whose champion answers. */
export const segment = id.default(allRows);

/** As many rows as may be asked, of many columns. */
export const rowsLimitBytes = 16 * 1024 * 1024;

/** Rows as callers write them. */
export const rows = z
  .array(z.record(id, z.union([z.string().max(10_000), z.number(), z.boolean(), z.null()])))
  .min(1)
  .max(10_000);

/** @throws {MlError} `RequestInvalid`, saying what is wrong in each field. */
export function parse<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const said = parsed.error.issues.map(({ path, message }) => (path.length ? `${path.join('.')}: ${message}` : message));
  throw new MlError('RequestInvalid', said.join('; '), { issues: parsed.error.issues });
}
