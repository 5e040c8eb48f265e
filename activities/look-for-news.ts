import type { ModelSpec } from '../core/model-spec.ts';
import { madeBy } from './made-by.ts';
import { readJson } from './make.ts';
import { observeSource } from './observe-source.ts';
import type { Ports, Step } from './ports.ts';

export interface News {
  readonly isNew: boolean;
  readonly reason: string;
}

/**
 * Whether a training could give anything that the last version does not have: another source, or another spec. Versions of a window that somebody
 * asked for do not count: a backfill of last year says nothing about today's rows.
 */
export const lookForNews =
  (ports: Ports): Step<{ readonly spec: ModelSpec; readonly segment: string }, News> =>
  async ({ spec, segment }, context) => {
    const { versions } = await ports.registry.state({ model: spec.name, segment });
    const last = versions.findLast(({ asked }) => asked === undefined);
    if (last === undefined) return { isNew: true, reason: `${spec.name}, ${segment} has no version of its own window yet` };
    if (madeBy(await readJson<ModelSpec>(ports, last.spec)) !== madeBy(spec))
      return { isNew: true, reason: `the spec changed after v${last.version}` };
    const observe = observeSource(ports);
    for (const source of Object.keys(spec.sources)) {
      const { observation } = await observe({ spec, source }, context);
      if (observation.sha256 !== last.observed[source]) return { isNew: true, reason: `"${source}" changed after v${last.version}` };
    }
    return { isNew: false, reason: `All ${Object.keys(spec.sources).length} sources are as v${last.version} saw them.` };
  };
