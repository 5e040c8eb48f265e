import type { VerdictName } from '../core/registry-entry.ts';
import type { Ports, Step } from './ports.ts';

export interface PromoteInput {
  readonly model: string;
  readonly segment: string;
  readonly version: number;
  readonly expect: number | null;
  readonly verdict: VerdictName;
  readonly by: string;
  readonly reason?: string;
}

/** Make a version the champion of its segment, if the champion is still the one that it was judged against. A retry finds its own entry. */
export const promote =
  (ports: Ports): Step<PromoteInput, { readonly entry: number }> =>
  async ({ model, segment, version, expect, verdict, by, reason }, context) => {
    const entry = await ports.registry.promote(
      { model, segment },
      { version, expect, verdict, reason: reason ?? `judged ${verdict}` },
      { by, run: context.run },
    );
    return { entry: entry.n };
  };
