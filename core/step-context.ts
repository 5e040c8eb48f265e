/** All that a step may know of the outside, besides its input and the ports it was made with. One small adapter builds it from Temporal. */
export interface StepContext {
  /** Aborts when the run is cancelled or the worker shuts down. */
  readonly signal: AbortSignal;
  /** Says that the step lives, and how far it is. */
  readonly heartbeat: (progress?: Progress) => void;
  readonly log: Log;
  /** A folder of this attempt's own; removed afterwards. */
  readonly scratch: string;
  readonly run: { readonly workflowId: string; readonly runId: string; readonly workflowType: string; readonly attempt: number };
}

/** How far a step is: it travels in its heartbeats. */
export interface Progress {
  readonly step: string;
  readonly done?: number;
  readonly total?: number;
  readonly note?: string;
}

/** A constant phrase plus fields: `log.info('features built', { rows, columns, ms })`. */
export interface Log {
  debug(phrase: string, fields?: Readonly<Record<string, unknown>>): void;
  info(phrase: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(phrase: string, fields?: Readonly<Record<string, unknown>>): void;
  error(phrase: string, fields?: Readonly<Record<string, unknown>>): void;
}
