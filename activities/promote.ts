import { MlError } from '../core/errors.ts';
import { isWorthy } from '../core/gate.ts';
import { formatReference, resolveVersion } from '../core/registry.ts';
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
  async (input, context) => {
    const { model, segment, version, expect, verdict, by, reason = `judged ${verdict}` } = input;
    if (ports.approvers !== undefined) await requireGrounds(ports, input);
    const entry = await ports.registry.promote({ model, segment }, { version, expect, verdict, reason }, { by, run: context.run });
    return { entry: entry.n };
  };

/**
 * Where decisions need a proof, whoever can start a workflow must not get round it: without a person, a promotion rests on what the log says. What
 * was champion once had its promotion; to bring it back is for people.
 */
async function requireGrounds({ registry }: Ports, { model, segment, version, expect }: PromoteInput): Promise<void> {
  const { verdict, against, ruling, status } = resolveVersion(await registry.state({ model, segment }), version) ?? {};
  const isWanted = ruling?.decision === 'approved' || (verdict !== undefined && isWorthy(verdict.name) && against === expect);
  if (isWanted && status !== 'previous' && status !== 'former') return;
  const reference = formatReference(model, segment, version);
  throw new MlError('ApprovalRefused', `nobody approved ${reference}, and the gate did not let it through: \`perennial promote ${reference}\``, {
    version,
  });
}
