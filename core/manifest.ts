import type { Json } from './artifact.ts';
import type { TensorSignature } from './onnx-tensor.ts';

/** A half-open span of time, `from` inclusive, `to` exclusive: ISO 8601 dates or instants in UTC. */
export interface Window {
  readonly from: string;
  readonly to: string;
}

export type FileRole = 'model' | 'preprocessor' | 'items' | 'golden' | 'card' | 'evaluation' | 'spec' | 'provenance';

/** A model package: a manifest of content-addressed files. Its digest is the SHA-256 of the manifest's canonical JSON. */
export interface PackageManifest {
  readonly format: 1;
  readonly model: string;
  readonly task: string;
  readonly segment: string;
  readonly window: Window;
  readonly trainer: { readonly name: string; readonly parameters: Json };
  readonly signature: { readonly inputs: readonly TensorSignature[]; readonly outputs: readonly TensorSignature[] };
  readonly files: readonly PackageFile[];
}

export interface PackageFile {
  /** Relative, such as `model.onnx`. */
  readonly path: string;
  readonly role: FileRole;
  readonly sha256: string;
  readonly bytes: number;
  readonly mediaType: string;
}

/** An item that a recommender can recommend, in the order of the model's item positions. The file `items.json` of a package. */
export interface Item {
  readonly id: string;
  readonly title: string;
  readonly categories: readonly string[];
}

/** A few requests with the answers that the model gave when it was packed: a server reproduces them before it lets a version in. */
export interface Golden {
  readonly requests: readonly {
    readonly feeds: Readonly<Record<string, GoldenTensor>>;
    readonly outputs: Readonly<Record<string, GoldenTensor>>;
  }[];
}

/** A tensor as JSON. Whole numbers of 64 bits, NaN and infinities are text, since JSON has no such numbers. */
export interface GoldenTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly values: readonly (number | string)[];
}
