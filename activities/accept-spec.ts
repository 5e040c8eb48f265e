import type { Artifact } from '../core/artifact.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { parseProjectSpec } from './parse-spec.ts';
import { makeJson } from './make.ts';
import type { Ports, Step } from './ports.ts';

/** Parse a spec once, at the edge of the run, with every default written out; keep it as an artifact. */
export const acceptSpec =
  (ports: Ports): Step<{ readonly spec: ModelSpec }, { readonly spec: ModelSpec; readonly specArtifact: Artifact<'spec'> }> =>
  async (input, context) => {
    const spec = parseProjectSpec(input.spec);
    const specArtifact = await makeJson(
      ports,
      context,
      'spec',
      { step: 'acceptSpec', code: [], inputs: {}, parameters: JSON.parse(JSON.stringify(spec)) },
      async () => spec,
    );
    return { spec, specArtifact };
  };
