import { join } from 'node:path';
import type { SigningConfig } from '../core/config.ts';
import { openRegistry } from '../registry/registry.ts';
import { startPredictionServer } from '../serving/server.ts';
import { openBlobs } from '../stores/blobs.ts';
import { openStore } from '../stores/open-store.ts';
import { watchOwner } from './child-process/owner-watch.ts';
import { processInput, serviceReady } from './process-service.ts';
import { openSignatureCheck } from './signing.ts';

/** The input of this entry. */
export interface ServingProcessOptions {
  readonly store: string;
  readonly workFolder: string;
  readonly port?: number;
  readonly signing?: SigningConfig;
  /** The Temporal web UI and namespace, for links to runs. */
  readonly ui?: { readonly url: string; readonly namespace: string };
}

watchOwner();
const { store: uri, workFolder, port, signing, ui } = await processInput<ServingProcessOptions>();
const store = await openStore(uri);
const blobs = await openBlobs(store, join(workFolder, 'blobs'));
const checkSignature = await openSignatureCheck(store, signing);
const runLink = (run: { readonly workflowId: string; readonly runId: string }) =>
  `${ui!.url}/namespaces/${ui!.namespace}/workflows/${encodeURIComponent(run.workflowId)}/${run.runId}`;
const server = await startPredictionServer({
  registry: openRegistry(store, blobs),
  blobs,
  store,
  ...(checkSignature && { checkSignature }),
  ...(port !== undefined && { port }),
  ...(ui && { links: { run: runLink } }),
});
process.once('SIGTERM', () => void server.close().then(() => process.exit(0)));
serviceReady({ url: server.url });
