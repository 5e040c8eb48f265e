import { MlError } from '../core/errors.ts';
import { subjectOf } from '../core/registry.ts';
import { nobody } from './record-decision.ts';
import type { Ports, Step } from './ports.ts';

export interface SupersedeOlderInput {
  readonly model: string;
  readonly segment: string;
  /** The newest challenger. */
  readonly version: number;
}

/** Decide for older challengers of the same segment that nobody needs to look at them any more. A decision that came before stands. */
export const supersedeOlder =
  (ports: Ports): Step<SupersedeOlderInput, { readonly superseded: readonly number[] }> =>
  async ({ model, segment, version }, context) => {
    const place = { model, segment };
    const reason = `version ${version} came after it`;
    const state = await ports.registry.state(place);
    for (const older of state.versions.filter((it) => it.version < version && it.status === 'awaiting-decision')) {
      const { model: _, segment: __, ...subject } = subjectOf(state, older, older.against ?? null);
      await ports.registry.decide(place, { ...subject, decision: 'superseded', reason }, { by: nobody, run: context.run }).catch((error: unknown) => {
        if (!(error instanceof MlError) || error.code !== 'DecisionTaken') throw error;
      });
    }
    // From the log, so that a retry gives the same.
    const { versions } = await ports.registry.state(place);
    return { superseded: versions.filter(({ ruling }) => ruling?.decision === 'superseded' && ruling.reason === reason).map((it) => it.version) };
  };
