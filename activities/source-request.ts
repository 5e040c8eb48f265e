import { MlError } from '../core/errors.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { SourceRequest } from '../data/sources/reader.ts';
import type { Ports } from './ports.ts';

/** A source of a spec, with the connection that its `from` names. */
export function sourceRequest(ports: Ports, spec: ModelSpec, name: string): SourceRequest {
  const source = spec.sources[name];
  if (source === undefined)
    throw new MlError('SpecInvalid', `"${spec.name}" has no source "${name}": it has ${Object.keys(spec.sources).join(', ')}`);
  return { name, source, ...ports.connection(source.from), readSecret: ports.readSecret };
}
