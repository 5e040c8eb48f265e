import { MlError } from '../core/errors.ts';
import { allRows, segmentsOf } from '../core/segment.ts';
import { Misuse, unknownModel } from './misuse.ts';
import type { Workplace } from './workplace.ts';

/**
 * An error about a model's name, in the light of all that project and store know: it may be there and not trained yet, be another project's, or be spelt
 * nearly so. Any other error stays as it is.
 */
export async function explained(at: Workplace, error: unknown): Promise<unknown> {
  if (!(error instanceof MlError) || error.code !== 'ModelUnknown') return error;
  const { model, segment = allRows, segments } = error.facts as { readonly model?: unknown; readonly segment?: string; readonly segments?: unknown };
  if (typeof model !== 'string') return error;
  const { specs } = await at.project();
  const spec = specs.get(model);
  const stored = await storedModels(at);
  if (spec !== undefined && segmentsOf(spec).includes(segment) && (segments !== undefined || !stored.includes(model))) {
    const reference = segment === allRows ? model : `${model}/${segment}`;
    return new Misuse('ModelUnknown', `${reference} is not trained yet: \`perennial train ${reference}\``, error.facts, { cause: error });
  }
  if (spec !== undefined || segments !== undefined) return error;
  if (!stored.includes(model)) return unknownModel(model, placesOf(at, specs, stored));
  const { pipelines, store } = at.settings;
  const what = `there is no spec of "${model}" in ${pipelines}: the versions of it in ${store} are from another project, or the spec was removed`;
  return new Misuse('ModelUnknown', what, error.facts, { cause: error });
}

/** @throws {Misuse} where neither project nor store knows the model. */
export async function expectModel(at: Workplace, model: string): Promise<void> {
  const { specs } = await at.project();
  const stored = await storedModels(at);
  if (!specs.has(model) && !stored.includes(model)) throw unknownModel(model, placesOf(at, specs, stored));
}

const placesOf = ({ settings }: Workplace, specs: ReadonlyMap<string, unknown>, stored: readonly string[]) => ({
  [settings.pipelines]: [...specs.keys()],
  [settings.store]: stored,
});

/** The models that have been applied or trained here: none where there is no store. */
export async function storedModels(at: Workplace): Promise<readonly string[]> {
  try {
    return await (await at.kept()).registry.models();
  } catch (error) {
    if (error instanceof MlError && error.code === 'StoreMissing') return [];
    throw error;
  }
}
