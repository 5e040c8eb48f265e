import { parseProjectSpec } from '../activities/parse-spec.ts';
import type { Json } from '../core/artifact.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { nearest } from '../core/nearest.ts';
import { segmentPredicate, segmentsOf } from '../core/segment.ts';
import { fromArguments, misuse, unknownModel } from './misuse.ts';
import { withSettings } from './set-path.ts';
import type { Workplace } from './workplace.ts';

/**
 * The spec of a model of this project, with `--set` settings made.
 *
 * @throws {Misuse} `ModelUnknown`, naming the models that there are; `SpecInvalid` if the settings leave no valid spec.
 */
export async function specOf(at: Workplace, model: string, settings: readonly string[] = []): Promise<ModelSpec> {
  const { specs } = await at.project();
  const spec = specs.get(model);
  if (spec === undefined) throw unknownModel(model, { [at.settings.pipelines]: [...specs.keys()] });
  if (settings.length === 0) return spec;
  const plain = JSON.parse(JSON.stringify(spec)) as Json;
  return fromArguments(() => parseProjectSpec(withSettings(plain, settings)));
}

/** @throws {Misuse} if the spec has no such segment. */
export function checkSegment(spec: ModelSpec, segment: string): void {
  fromArguments(() => segmentPredicate(spec.segments?.by, segment));
  const known = segmentsOf(spec);
  if (known.includes(segment)) return;
  const guess = nearest(segment, known);
  throw misuse(`${spec.name} has no segment "${segment}", but ${known.join(', ')}${guess === undefined ? '' : ` (did you mean "${guess}"?)`}`);
}
