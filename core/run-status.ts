import type { Json } from './artifact.ts';

/** How a run stood when it was archived. */
export interface RunStatus {
  readonly status: 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed-out' | 'continued';
  readonly result?: Json;
  readonly error?: { readonly code: string; readonly message: string };
  /** Result and error in JSON, encrypted, in base64, where payloads are. */
  readonly encrypted?: { readonly keyId: string; readonly text: string };
}
