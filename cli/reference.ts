import { allRows } from '../core/segment.ts';
import { parseReference } from '../core/registry.ts';
import type { Reference } from '../core/registry.ts';
import { fromArguments } from './misuse.ts';

/** `<model>[/<segment>][@<version>|@champion|@previous]` as it was written: what was left out is not there. */
export interface Written {
  readonly model: string;
  readonly segment?: string;
  readonly at?: Reference['at'];
}

/** @throws {Misuse} */
export function parseWritten(text: string): Written {
  const { model, segment, at } = fromArguments(() => parseReference(text));
  return { model, ...(text.includes('/') && { segment }), ...(text.includes('@') && { at }) };
}

/** A model and one of its segments; `--segment` may name it too. @throws {Misuse} */
export function parsePlace(text: string, option?: string): { readonly model: string; readonly segment: string } {
  const { model, segment = option ?? allRows } = parseWritten(text);
  return { model, segment };
}
