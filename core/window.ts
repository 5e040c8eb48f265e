import { addDuration } from './duration.ts';
import { MlError } from './errors.ts';
import type { Window } from './manifest.ts';

/** What a spec may say about its window. `last` counts back from the newest row, not from the clock. */
export type WindowSpec = Window | { readonly last: string };

/** Milliseconds since 1970 of an ISO 8601 date (midnight) or instant, in UTC. @throws {MlError} `SpecInvalid` */
export function instantMs(iso: string): number {
  const dateOnly = /^\d{4}-\d{2}-\d{2}$/.test(iso);
  const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?Z$/.test(iso);
  const ms = dateOnly || instant ? Date.parse(iso) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new MlError('SpecInvalid', `"${iso}" is not a date or an instant in UTC: write it as 2024-12-01 or 2024-12-01T09:30:00Z`, { value: iso });
  }
  return ms;
}

/**
 * The window as instants. Without a spec it is all of the data; `last` counts back from the data's high-water mark. `data.to` is exclusive,
 * and is what `last` counts back from.
 */
export function resolveWindow(spec: WindowSpec | undefined, data: Window): Window {
  if (!spec) return data;
  if ('last' in spec) return { from: new Date(addDuration(instantMs(data.to), spec.last, -1)).toISOString(), to: data.to };
  const [from, to] = [instantMs(spec.from), instantMs(spec.to)];
  if (from >= to) throw new MlError('SpecInvalid', `window from ${spec.from} to ${spec.to} is empty: "from" must be before "to"`, { ...spec });
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}
