/**
 * The one error catalogue. The code is the contract that retry policies, HTTP answers, exit codes and dashboards match;
 * `docs/errors.md` has a heading for each, with meaning, cause and cure (a test keeps the two equal).
 *
 * `retry`: whether the same call may succeed later by itself. `status`: the HTTP status of an answer that carries it.
 */
export const catalogue = {
  SpecInvalid: { retry: false, status: 400 },
  ConfigInvalid: { retry: false, status: 500 },
  ModelUnknown: { retry: false, status: 404 },
  VersionUnknown: { retry: false, status: 404 },
  RunUnknown: { retry: false, status: 404 },
  PredictionUnknown: { retry: false, status: 404 },
  RunInProgress: { retry: false, status: 409 },
  DuplicateName: { retry: false, status: 500 },
  TrainerUnknown: { retry: false, status: 400 },
  TaskUnknown: { retry: false, status: 400 },
  ConnectionUnknown: { retry: false, status: 400 },
  SecretMissing: { retry: false, status: 500 },
  HostRefused: { retry: false, status: 403 },
  SourceUnreachable: { retry: true, status: 502 },
  SourceMissing: { retry: false, status: 404 },
  SourceRefused: { retry: false, status: 502 },
  SourceInvalid: { retry: false, status: 422 },
  SourceChanged: { retry: false, status: 409 },
  SourceKeyMissing: { retry: false, status: 500 },
  SourceKeyInvalid: { retry: false, status: 500 },
  SourceKeyWrong: { retry: false, status: 422 },
  SourceNotEncrypted: { retry: false, status: 422 },
  SourceDamaged: { retry: false, status: 422 },
  ContractBroken: { retry: false, status: 422 },
  SqlRefused: { retry: false, status: 400 },
  SqlFailed: { retry: false, status: 422 },
  SqlTimeout: { retry: false, status: 422 },
  RowsInvalid: { retry: false, status: 422 },
  LeakFound: { retry: false, status: 422 },
  DatasetInvalid: { retry: false, status: 422 },
  TrainingFailed: { retry: false, status: 500 },
  TrainingCrashed: { retry: true, status: 500 },
  TrainingSilent: { retry: true, status: 500 },
  ScriptUnknown: { retry: false, status: 400 },
  ScriptFailed: { retry: false, status: 500 },
  PythonMissing: { retry: false, status: 500 },
  PackagesUnreachable: { retry: true, status: 503 },
  PackagesRefused: { retry: false, status: 500 },
  ModelInvalid: { retry: false, status: 422 },
  PackageInvalid: { retry: false, status: 422 },
  ParityBroken: { retry: false, status: 500 },
  ArtifactMissing: { retry: false, status: 404 },
  ArtifactCorrupt: { retry: false, status: 500 },
  SignatureMissing: { retry: false, status: 500 },
  SignatureInvalid: { retry: false, status: 500 },
  KeyInvalid: { retry: false, status: 400 },
  ObjectTooLarge: { retry: false, status: 413 },
  StoreMissing: { retry: false, status: 503 },
  StoreUnavailable: { retry: true, status: 503 },
  StoreRefused: { retry: false, status: 502 },
  StoreUnsafe: { retry: false, status: 500 },
  StoreFull: { retry: true, status: 507 },
  StoreConflict: { retry: false, status: 409 },
  LogCorrupt: { retry: false, status: 500 },
  ChampionChanged: { retry: false, status: 409 },
  ApprovalRefused: { retry: false, status: 403 },
  DecisionTaken: { retry: false, status: 409 },
  EncryptionKeyInvalid: { retry: false, status: 500 },
  EncryptionKeyUnknown: { retry: false, status: 500 },
  DecryptionFailed: { retry: false, status: 500 },
  PayloadTooLarge: { retry: false, status: 413 },
  TemporalUnavailable: { retry: true, status: 503 },
  ServiceEnded: { retry: false, status: 500 },
  AlreadyRunning: { retry: false, status: 409 },
  PortTaken: { retry: false, status: 500 },
  RequestInvalid: { retry: false, status: 400 },
  FeaturesMissing: { retry: false, status: 503 },
  FeaturesTaken: { retry: false, status: 503 },
  NotServing: { retry: true, status: 503 },
  Cancelled: { retry: false, status: 499 },
  TimedOut: { retry: false, status: 504 },
  Bug: { retry: false, status: 500 },
} as const satisfies Record<string, { readonly retry: boolean; readonly status: number }>;

export type ErrorCode = keyof typeof catalogue;

export type Facts = Readonly<Record<string, unknown>>;

/** An error that a caller can act on. The message says what, with the value, and what to do. */
export class MlError extends Error {
  readonly code: ErrorCode;
  readonly facts: Facts;

  constructor(code: ErrorCode, message: string, facts: Facts = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = code;
    this.code = code;
    this.facts = facts;
  }

  get retry(): boolean {
    return catalogue[this.code].retry;
  }

  get status(): number {
    return catalogue[this.code].status;
  }
}

export const isErrorCode = (value: unknown): value is ErrorCode => typeof value === 'string' && Object.hasOwn(catalogue, value);
