import { join } from 'node:path';
import type { SigningConfig } from '../core/config.ts';
import type { Log } from '../core/step-context.ts';
import { openRegistry } from '../registry/registry.ts';
import { startPredictionServer, type PredictionServer } from '../serving/server.ts';
import { openBlobs } from '../stores/blobs.ts';
import { openStore } from '../stores/open-store.ts';
import { portSettings } from './expect-room.ts';
import { expectFree } from './ports.ts';
import { openSignatureCheck } from './signing.ts';

export interface ServingOptions {
  /** Folder or URI of the store. */
  readonly store: string;
  /** Where content of the store is kept on this machine. */
  readonly workFolder: string;
  /** Where rows that are pushed are kept: to be backed up as a database is. */
  readonly featuresFolder: string;
  readonly host?: string;
  /** Without it any free one. */
  readonly port?: number;
  readonly signing?: SigningConfig;
  /** The Temporal web UI and namespace, for links to runs. */
  readonly ui?: { readonly url: string; readonly namespace: string };
  readonly log?: Log;
}

/**
 * Starts the prediction server of a project: in this process for `serve`, in one of its own for `dev`.
 *
 * @throws {MlError} `PortTaken`; `StoreUnavailable`; `ConfigInvalid` if a key that is trusted cannot be read.
 */
export async function startServing({
  store: uri,
  workFolder,
  featuresFolder,
  host,
  port,
  signing,
  ui,
  log,
}: ServingOptions): Promise<PredictionServer> {
  if (port !== undefined && port !== 0) await expectFree(port, ...portSettings.serving, host);
  const store = await openStore(uri);
  const blobs = await openBlobs(store, join(workFolder, 'blobs'));
  const checkSignature = await openSignatureCheck(store, signing);
  const runLink = (run: { readonly workflowId: string; readonly runId: string }) =>
    `${ui!.url}/namespaces/${ui!.namespace}/workflows/${encodeURIComponent(run.workflowId)}/${run.runId}`;
  return startPredictionServer({
    registry: openRegistry(store, blobs),
    blobs,
    store,
    featuresFolder,
    ...(checkSignature && { checkSignature }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(ui && { links: { run: runLink } }),
    ...(log && { log }),
  });
}
