import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { PerennialClient } from '../client/index.ts';
import type { Cipher } from '../core/cipher.ts';
import { MlError } from '../core/errors.ts';
import { openRegistry } from '../registry/registry.ts';
import type { Registry } from '../registry/registry.ts';
import { openRunArchive } from '../registry/runs.ts';
import type { RunArchive } from '../registry/runs.ts';
import { openBlobs } from '../stores/blobs.ts';
import type { Blobs } from '../stores/blobs.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import { openExistingStore, openStore } from '../stores/open-store.ts';
import { loadSettings } from '../workers/config.ts';
import type { Settings } from '../workers/config.ts';
import type { Project } from '../workers/project.ts';
import { readRunning } from '../workers/running.ts';
import type { Running } from '../workers/running.ts';
import { openOutput } from './output.ts';
import type { Output } from './output.ts';

/** What is in the store, which is enough for all that has happened already. */
export interface Kept {
  readonly store: ObjectStore;
  readonly blobs: Blobs;
  readonly registry: Registry;
  readonly runs: RunArchive;
}

/** Temporal, with the way to look at a run in its web UI where that is known. */
export interface Reached {
  readonly client: PerennialClient;
  readonly runUrl?: (run: { readonly workflowId: string; readonly runId: string }) => string;
}

/** What a command works with. Each part is opened when it is asked for first: `versions` needs no Temporal, `train` no store. */
export interface Workplace {
  readonly settings: Settings;
  readonly out: Output;
  /** To read. @throws {MlError} `StoreMissing` where there is no store: one is not made by looking at it. */
  kept(): Promise<Kept>;
  /** To write, or to plan what will be written: a store that is not there is made. */
  keptOrNew(): Promise<Kept>;
  /** Keys of payloads, where the project has any. */
  cipher(): Promise<Cipher | undefined>;
  project(): Promise<Project>;
  /** What a `dev` or `demo` of this home says of itself. */
  running(): Promise<Running | undefined>;
  /** @throws {MlError} `TemporalUnavailable` */
  temporal(): Promise<Reached>;
  /** `undefined` where nothing is known to run; where it ought to and does not answer, that is said. */
  temporalIfThere(): Promise<Reached | undefined>;
  /** Who asks, for the registry's log. */
  readonly by: string;
}

/** Opens a workplace in the current folder, and closes after `work` what it opened. */
export async function atWorkplace<T>({ json = false }: { readonly json?: boolean }, work: (at: Workplace) => Promise<T>): Promise<T> {
  const settings = await loadSettings();
  const out = openOutput(json);
  const closing: (() => Promise<void>)[] = [];

  const keptIn = async (store: ObjectStore): Promise<Kept> => {
    const blobs = await openBlobs(store, join(settings.home, 'work', 'blobs'));
    return { store, blobs, registry: openRegistry(store, blobs), runs: openRunArchive(store, blobs) };
  };
  const kept = once(async () => keptIn(await openExistingStore(settings.store)));
  const keptOrNew = once(async () => keptIn(await openStore(settings.store)));
  const cipher = once(async () => {
    if (settings.security.encryption === undefined) return undefined;
    return (await import('../workers/encryption.ts')).cipherOf(settings.security);
  });
  const project = once(async () => (await import('../workers/project.ts')).loadProject(settings));
  const running = once(() => readRunning(settings.home));

  const reach = once(async (): Promise<Reached | undefined> => {
    const known = await running();
    const given = settings.temporal.given ?? (known && { address: known.temporal.address });
    if (given === undefined) return undefined;
    const { connect } = await import('../client/index.ts');
    const namespace = settings.temporal.given === undefined ? known!.temporal.namespace : settings.temporal.namespace;
    const keys = await cipher();
    const client = await connect({ connectTimeout: '4s', ...given, namespace, taskQueue: settings.taskQueue, ...(keys && { cipher: keys }) });
    closing.push(() => client.close());
    const ui = known?.temporal.address === given.address ? known.temporal.uiUrl : undefined;
    const runUrl: Reached['runUrl'] =
      ui === undefined
        ? undefined
        : ({ workflowId, runId }) => `${ui}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}/${runId}/history`;
    return { client, ...(runUrl && { runUrl }) };
  });

  const workplace: Workplace = {
    settings,
    out,
    kept,
    keptOrNew,
    cipher,
    project,
    running,
    by: userName(),
    async temporal() {
      const reached = await reach();
      if (reached !== undefined) return reached;
      throw new MlError(
        'TemporalUnavailable',
        `nothing runs in ${settings.home}: start \`perennial dev\` in another terminal, or set TEMPORAL_ADDRESS to a server that runs`,
        { home: settings.home },
      );
    },
    async temporalIfThere() {
      try {
        return await reach();
      } catch (error) {
        if (!(error instanceof MlError) || error.code !== 'TemporalUnavailable') throw error;
        out.say(`Temporal does not answer at ${String(error.facts['address'])}: this is what the store knows`);
        return undefined;
      }
    },
  };
  try {
    return await work(workplace);
  } finally {
    for (const close of closing) await close();
  }
}

function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => (opened ??= open());
}

/** A container may run as a user that no list has. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
