import type { Signed } from '../core/decision.ts';
import { checkStatement } from './check-statement.ts';
import type { Ports, Step } from './ports.ts';

/** Do what a person decided by hand: promote a version whatever its verdict, or bring a former champion back. */
export const enact =
  (ports: Ports): Step<{ readonly signed: Signed }, { readonly entry: number }> =>
  async ({ signed }, context) => {
    const { model, segment, version, expect, decision, reason, by } = signed.statement;
    const place = { model, segment };
    const author = { by, run: context.run };
    const state = await ports.registry.state(place);
    const found = checkStatement(ports, state, signed, ['promoted', 'rolledBack']);
    const { proof } = found;
    const verdict = found.version.verdict?.name ?? 'not-comparable';
    const entry =
      decision === 'rolledBack'
        ? await ports.registry.rollBack(place, { from: expect, to: version, reason, proof }, author)
        : await ports.registry.promote(place, { version, expect, verdict, reason, proof }, author);
    return { entry: entry.n };
  };
