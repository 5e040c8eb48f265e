import type { ModelSpec } from '../core/model-spec.ts';
import { readers } from '../data/sources/index.ts';
import type { Observation } from '../data/sources/reader.ts';
import type { Ports, Step } from './ports.ts';
import { sourceRequest } from './source-request.ts';

export interface Observed {
  readonly observation: Observation;
}

/** Look at a source, without reading it where that is possible: its ETag, or its size and hash. Never cached. */
export const observeSource =
  (ports: Ports): Step<{ readonly spec: ModelSpec; readonly source: string }, Observed> =>
  async ({ spec, source }, context) => {
    const request = sourceRequest(ports, spec, source);
    return { observation: await readers[request.source.read].observe(request, context) };
  };
