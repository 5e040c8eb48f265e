import { MlError } from '../core/errors.ts';
import { groundsOf } from '../core/grounds.ts';
import { formatReference, resolveVersion } from '../core/registry.ts';
import type { SegmentState, VerdictName } from '../core/registry-entry.ts';
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
  async (input, context) => {
    const { model, segment, version, expect, verdict, by, reason = `judged ${verdict}` } = input;
    const author = { by, run: context.run };
    const entry = await ports.registry.promote({ model, segment }, { version, expect, verdict, reason }, author, verdictFor(ports, input));
    return { entry: entry.n };
  };

/**
 * The verdict as the log has it: whoever can start a workflow could tell any. Where decisions need a proof they must not get round it either, so that
 * without a person a promotion rests on what the log says.
 */
const verdictFor =
  ({ approvers }: Ports, { model, segment, version, expect, verdict }: PromoteInput) =>
  (state: SegmentState): VerdictName => {
    const found = resolveVersion(state, version);
    // Of a champion that changed, or a promotion that is there already, the registry tells.
    if (approvers === undefined || found === undefined || state.champion !== expect) return found?.verdict?.name ?? verdict;
    const grounds = groundsOf(found, expect);
    if (grounds !== undefined) return grounds;
    const reference = formatReference(model, segment, version);
    const command = found.status === 'awaiting-decision' ? 'approve' : 'promote';
    throw new MlError('ApprovalRefused', `nothing in the log lets ${reference} through by itself: \`perennial ${command} ${reference}\``, {
      version,
    });
  };
