import { MlError } from '../core/errors.ts';
import { allRows } from '../core/segment.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { readJson } from './make.ts';
import { parseProjectSpec } from './parse-spec.ts';
import type { Ports, Step } from './ports.ts';

/** The spec that was applied last: what a schedule trains by, since it holds none itself. */
export const readApplied =
  (ports: Ports): Step<{ readonly model: string }, { readonly spec: ModelSpec }> =>
  async ({ model }) => {
    // Whoever starts a workflow by hand may give it no input, or another one.
    if (typeof model !== 'string')
      throw new MlError('RequestInvalid', 'no model is named: start the workflow with an input such as {"model": "films"}');
    const { applied } = await ports.registry.state({ model, segment: allRows });
    if (applied === undefined) throw new MlError('ModelUnknown', `no spec of "${model}" was applied: run \`perennial apply\``, { model });
    return { spec: parseProjectSpec(await readJson(ports, applied.spec)) };
  };
