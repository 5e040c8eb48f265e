import type { Json } from './artifact.ts';
import type { Examples } from './examples.ts';

/** Files that say what a script does and with which libraries: paths, or digests of their content. */
export interface ScriptFiles {
  readonly script: string;
  /** Pinned versions with hashes of what it needs; absent where it needs nothing but the language. */
  readonly requirements?: string;
  /** The module that speaks the protocol for it. */
  readonly helper: string;
}

/** Where Python is looked for, and where its environments are kept. */
export interface PythonSettings {
  /** Value of PATH. */
  readonly path: string;
  readonly cacheFolder: string;
}

/** A script of a worker with its files, and what runs it. Plain values: they cross to a compute process. */
export interface TrainScript {
  readonly name: string;
  readonly files: ScriptFiles;
  readonly python: PythonSettings & {
    /** `3.12.4`. */
    readonly version: string;
  };
}

/** What a script is told: `context.json` in its folder. Paths are relative to the folder. */
export interface ScriptContext {
  readonly format: 1;
  readonly task: 'regression' | 'binary' | 'multiclass';
  readonly parameters: Readonly<Record<string, Json>>;
  readonly seed: number;
  /** In the order of the columns. A `category` is 1 for the first of its levels, and so on; 0 for a rare or unseen one. */
  readonly features: readonly { readonly name: string; readonly kind: 'number' | 'category'; readonly levels?: readonly string[] }[];
  readonly classes?: readonly string[];
  readonly paths: {
    readonly train: string;
    /** Only while choices are made. */
    readonly validation: string | null;
    readonly model: string;
    readonly checkpoint: string;
  };
  /** Where what an earlier attempt saved last lies; `null` where none saved anything. */
  readonly checkpoint: string | null;
}

/** What a trainer asks of a script. */
export interface ScriptRequest {
  readonly context: Omit<ScriptContext, 'format' | 'paths' | 'checkpoint'>;
  readonly train: Examples;
  readonly validation?: Examples;
  /** Without a word from the script for this long it counts as hung. */
  readonly silenceMs: number;
  readonly progress: (done: number, total: number, metrics?: Readonly<Record<string, number>>) => Promise<void>;
}

/** What a script ended with. */
export interface ScriptResult {
  /** What it wrote as a model: any bytes. */
  readonly onnx: Uint8Array;
  /** Parameters that it chose on the validation rows. */
  readonly chosen: Readonly<Record<string, Json>>;
  readonly facts: Readonly<Record<string, Json>>;
  /** Its own answers to the first training rows, a number or a list for each. */
  readonly answers: readonly (number | readonly number[])[];
  /** What was installed, by name: versions. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Runs the script that a training was started with, on rows, in a process of its own. */
export type RunScript = (request: ScriptRequest) => Promise<ScriptResult>;
