import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseProjectSpec } from '../activities/parse-spec.ts';
import { MlError } from '../core/errors.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { loadModule } from './load-module.ts';
import { scriptEnding } from './python/train-scripts.ts';

/**
 * What a project's pipelines folder holds: specs by model name, modules of its own workflows (`*.workflow.ts`) and of its own steps
 * (`*.steps.ts`), and training scripts (`*.train.py`).
 */
export interface Project {
  readonly specs: ReadonlyMap<string, ModelSpec>;
  readonly workflowModules: readonly string[];
  readonly stepModules: readonly string[];
  readonly trainScripts: readonly string[];
}

const source = /\.m?[jt]s$/;
const notSource = /\.(test|d)\.m?[jt]s$/;
const workflow = /\.workflow\.m?[jt]s$/;
const step = /\.steps\.m?[jt]s$/;

/**
 * Loads every file of the pipelines folder. Whatever they export that looks like a spec is one.
 *
 * @throws {MlError} `ConfigInvalid` if a file cannot be loaded or two specs share a name; `SpecInvalid`.
 */
export async function loadProject({ pipelines }: { readonly pipelines: string }): Promise<Project> {
  if (!existsSync(pipelines)) return { specs: new Map(), workflowModules: [], stepModules: [], trainScripts: [] };
  await import('./register-typescript.ts');
  const entries = await readdir(pipelines, { recursive: true, withFileTypes: true });
  const present = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  const files = present.filter((file) => source.test(file) && !notSource.test(file));
  const specs = new Map<string, ModelSpec>();
  const foundIn = new Map<string, string>();
  for (const file of files.filter((each) => !workflow.test(each) && !step.test(each))) {
    for (const value of Object.values(await loadModule(file))) {
      if (!isSpec(value)) continue;
      const spec = specIn(file, value);
      const other = foundIn.get(spec.name);
      // A spec may be exported again (an index file); two different ones with one name may not.
      if (other !== undefined && JSON.stringify(specs.get(spec.name)) !== JSON.stringify(spec)) {
        throw new MlError('ConfigInvalid', `two specs are called "${spec.name}", in ${other} and ${file}: rename one of them`, { name: spec.name });
      }
      specs.set(spec.name, spec);
      foundIn.set(spec.name, file);
    }
  }
  return {
    specs,
    workflowModules: files.filter((each) => workflow.test(each)),
    stepModules: files.filter((each) => step.test(each)),
    trainScripts: present.filter((each) => each.endsWith(scriptEnding)),
  };
}

function isSpec(value: unknown): value is { readonly name: string } {
  return typeof value === 'object' && value !== null && 'format' in value && 'task' in value && 'sources' in value;
}

/** @throws {MlError} `SpecInvalid`, naming the file */
function specIn(file: string, value: object): ModelSpec {
  try {
    return parseProjectSpec(value);
  } catch (error) {
    if (!(error instanceof MlError)) throw error;
    throw new MlError(error.code, `${file}: ${error.message}`, { ...error.facts, file }, { cause: error });
  }
}
