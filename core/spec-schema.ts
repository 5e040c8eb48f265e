import { aggregateFaults } from './aggregate-faults.ts';
import { columnFaults } from './column-faults.ts';
import { MlError } from './errors.ts';
import type { ModelSpec } from './model-spec.ts';
import { finishFaults, gateFaults, referenceFaults, requestFaults, targetFaults, trainFaults } from './spec-checks.ts';
import type { SpecFragments } from './spec-checks.ts';
import { faultsOf } from './spec-faults.ts';
import type { SpecFault } from './spec-faults.ts';
import { spec } from './spec-shape.ts';

export type { SpecFault, SpecFragments };

/**
 * Parses a spec from JSON. Defaults are written out, so that two specs that mean the same are the same. A trainer's own defaults are not: they are
 * written into what it fitted.
 *
 * @throws {MlError} `SpecInvalid` with every fault: where, what, and what to write instead.
 */
export function parseSpec(json: unknown, fragments: SpecFragments): ModelSpec {
  const result = spec.safeParse(json);
  if (!result.success)
    throw invalid(
      json,
      result.error.issues.flatMap((issue) => faultsOf(issue, [], json)),
    );
  const parsed = result.data;
  const faults = [
    ...targetFaults(parsed, fragments),
    ...requestFaults(parsed, fragments),
    ...finishFaults(parsed, fragments),
    ...aggregateFaults(parsed),
    ...gateFaults(parsed, fragments),
    ...trainFaults(parsed.train, fragments),
    ...referenceFaults(parsed),
  ];
  // One fault a place: the first says more.
  faults.push(...columnFaults(parsed).filter(({ path }) => !faults.some((fault) => fault.path === path)));
  if (faults.length > 0) throw invalid(json, faults);
  const target = fragments.tasks[parsed.task]!.target.parse(parsed.target);
  return withoutUndefined({ ...parsed, target }) as unknown as ModelSpec;
}

function invalid(json: unknown, faults: readonly SpecFault[]): MlError {
  const name = typeof json === 'object' && json !== null && 'name' in json && typeof json.name === 'string' ? ` of "${json.name}"` : '';
  const lines = faults.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  return new MlError('SpecInvalid', `the spec${name} is not valid: ${lines.join('; ')}`, { faults });
}

/** Leaves members out that are `undefined`, so that a parsed spec is plain JSON. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [[key, withoutUndefined(member)]])));
}
