import type { VersionState } from '../core/registry-entry.ts';
import type { Ports, Step } from './ports.ts';

export interface ReadVersionInput {
  readonly model: string;
  readonly segment: string;
  /** The champion, or the newest version whatever its verdict. */
  readonly which: 'champion' | 'newest';
}

/** A version of today's registry, or `null` where there is none. Never cached. */
export const readVersion =
  (ports: Ports): Step<ReadVersionInput, { readonly version: VersionState | null }> =>
  async ({ model, segment, which }) => {
    const { versions, champion } = await ports.registry.state({ model, segment });
    const found = which === 'newest' ? versions.at(-1) : versions.find(({ version }) => version === champion);
    return { version: found ?? null };
  };
