import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import type { BundleOptions, WorkflowBundle } from '@temporalio/worker';
import { encryptionCodec } from '../client/encryption.ts';
import { MlError } from '../core/errors.ts';
import type { Cipher } from '../core/cipher.ts';
import { compiled } from './compiled.ts';
import { loadModule } from './load-module.ts';
import { compactLogger } from './log.ts';

const ours = {
  train: 'workflows/train',
  retrain: 'workflows/retrain',
  backfill: 'workflows/backfill',
  deploy: 'workflows/deploy',
  decide: 'workflows/decide',
  sweepLineage: 'workflows/sweep-lineage',
} as const;

/** Types of our own workflows. */
export const workflowNames = Object.keys(ours) as readonly (keyof typeof ours)[];

export const interceptorModule = (): string => compiled('workflows/interceptor');

/** Where workflow code finds how values become payloads; messages and stack traces become some, too, where payloads are encrypted. */
const converterPaths = (encrypted: boolean) => ({
  payloadConverterPath: compiled('workflows/payload-guard'),
  failureConverterPath: compiled(encrypted ? 'workflows/encrypted-failures' : 'workflows/payload-guard'),
});

/** The same for a worker, which alone has the keys: workflow code never sees one. */
export const workerConverter = (cipher?: Cipher): DataConverter => ({
  ...converterPaths(cipher !== undefined),
  ...(cipher && { payloadCodecs: [encryptionCodec(cipher)] }),
});

export interface BundleChoice {
  /** Which of our own workflows. Default: all. */
  readonly own?: readonly (keyof typeof ours)[];
  /** Whether error messages are to be encrypted with the payloads. */
  readonly encrypted?: boolean;
}

/** The module of each workflow by its name, ours and users'. @throws {MlError} `DuplicateName` */
export async function workflowsByName(
  modules: readonly string[],
  own: readonly (keyof typeof ours)[] = workflowNames,
): Promise<ReadonlyMap<string, string>> {
  const from = new Map<string, string>(own.map((name) => [name, compiled(ours[name])]));
  for (const module of modules) {
    const exports = await loadModule(module);
    for (const name of Object.keys(exports).filter((each) => typeof exports[each] === 'function')) {
      const other = from.get(name);
      if (other !== undefined) {
        throw new MlError('DuplicateName', `workflow "${name}" is exported by ${module} and by ${other}: rename one of them`, {
          name,
          module,
          other,
        });
      }
      from.set(name, module);
    }
  }
  return from;
}

/**
 * The entry of the workflow bundle. `export *` of two modules that export the same name would drop both without a word, so names are written out, and
 * one that is there twice is refused.
 */
export async function workflowEntry(modules: readonly string[], own?: readonly (keyof typeof ours)[]): Promise<string> {
  const workflows = await workflowsByName(modules, own);
  return [...workflows].map(([name, module]) => `export { ${name} } from ${JSON.stringify(module)};`).join('\n');
}

/** Bundles all workflows with the one interceptor. About two seconds. */
export async function bundleWorkflows(
  modules: readonly string[],
  folder: string,
  { own = workflowNames, encrypted = false }: BundleChoice = {},
): Promise<WorkflowBundle> {
  await mkdir(folder, { recursive: true });
  const entry = join(folder, 'workflows.js');
  await writeFile(entry, await workflowEntry(modules, own));
  return bundleWorkflowCode({
    workflowsPath: entry,
    workflowInterceptorModules: [interceptorModule()],
    ...converterPaths(encrypted),
    logger: compactLogger('WARN'),
    webpackConfigHook: (config) => ({ ...config, resolve: { ...config.resolve, alias: withOneCopy(config.resolve?.alias) } }),
  });
}

type Alias = NonNullable<NonNullable<Parameters<NonNullable<BundleOptions['webpackConfigHook']>>[0]['resolve']>['alias']>;

/**
 * The entry lies in a folder of the user's choice, perhaps below another `node_modules`. Two copies of the workflow library in one bundle would not
 * know each other's scopes.
 */
function withOneCopy(alias: Alias = {}): Alias {
  if (Array.isArray(alias)) throw new MlError('Bug', 'the SDK gives the aliases of its bundler as a list: merge ours into it');
  const { resolve } = createRequire(import.meta.url);
  const own = ['@temporalio/workflow', '@temporalio/common'].map((name) => [name, dirname(resolve(`${name}/package.json`))]);
  return { ...(alias as Readonly<Record<string, string>>), ...Object.fromEntries(own) };
}
