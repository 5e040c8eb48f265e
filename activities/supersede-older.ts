import { rulingOn } from '../core/decision.ts';
import { MlError } from '../core/errors.ts';
import { resolveVersion, subjectOf } from '../core/registry.ts';
import { nobody } from './record-decision.ts';
import type { Ports, Step } from './ports.ts';

export interface SupersedeOlderInput {
  readonly model: string;
  readonly segment: string;
  /** The newest challenger. What is none by the log supersedes nothing. */
  readonly version: number;
}

/** Decide for older challengers of the same segment that nobody needs to look at them any more. A decision that came before stands. */
export const supersedeOlder =
  (ports: Ports): Step<SupersedeOlderInput, { readonly superseded: readonly number[] }> =>
  async ({ model, segment, version }, context) => {
    const place = { model, segment };
    const reason = `version ${version} came after it`;
    const state = await ports.registry.state(place);
    const isOne = resolveVersion(state, version)?.approval !== undefined;
    for (const older of state.versions.filter((it) => isOne && it.version < version && it.status === 'awaiting-decision')) {
      const ruling = rulingOn(subjectOf(state, older, older.against ?? null));
      await ports.registry.decide(place, { ...ruling, decision: 'superseded', reason }, { by: nobody, run: context.run }).catch((error: unknown) => {
        if (!(error instanceof MlError) || error.code !== 'DecisionTaken') throw error;
      });
    }
    // From the log, so that a retry gives the same.
    const { versions } = await ports.registry.state(place);
    return { superseded: versions.filter(({ ruling }) => ruling?.decision === 'superseded' && ruling.reason === reason).map((it) => it.version) };
  };
