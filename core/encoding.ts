import type { ColumnKind } from './model-spec.ts';
import type { Tensor } from './onnx-tensor.ts';
import type { Vocabulary } from './tf-idf.ts';

/** What a caller may send. A `key` only finds features: it never reaches a graph. */
export type RequestKind = Exclude<ColumnKind, 'image'>;
export type InputKind = Exclude<RequestKind, 'key'>;

/** What crosses the wire, each `[batch, 1]`. Missing are NaN, the smallest INT64 and ''; a flag is always there. */
export const tensorTypes = {
  number: 'float64',
  integer: 'int64',
  time: 'int64',
  category: 'string',
  text: 'string',
  flag: 'bool',
} as const satisfies Record<InputKind, Tensor['type']>;

/** The smallest INT64 stands for a missing whole number or time. */
export const missingInteger = -(2n ** 63n);

/** Parts of a time that a model may learn from; all in UTC. `day-of-week` is 0 on Mondays, `weekend` 1 on Saturdays and Sundays, `month` 1–12. */
export const timeParts = ['hour', 'day-of-week', 'weekend', 'day', 'month'] as const;
export type TimePart = (typeof timeParts)[number];

/**
 * How one feature is made from one raw input. All features are float32.
 *
 * - `value`: a number, whole number or flag as it is; NaN where it is missing.
 * - `part`: a part of a time; NaN where it is missing.
 * - `code`: a category: 1 for the first of `levels`, and so on; 0 for a rare or unseen one; NaN where it is missing.
 * - `mean`: a category by the mean label of its rows, drawn towards the mean of all (`prior`) as if `weight` more rows had that; `prior` itself for an unseen
 *   or missing one. (Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes", SIGKDD Explorations 2001; the weight is the
 *   credibility of Bühlmann 1967: the variance within levels over the variance between them.)
 * - `term`: what a text has of a term of its input's vocabulary (TF-IDF); 0 where it has not the term, or is missing.
 */
export type Encoder =
  | { readonly by: 'value' }
  | { readonly by: 'part'; readonly part: TimePart }
  | { readonly by: 'code'; readonly levels: readonly string[] }
  | { readonly by: 'mean'; readonly levels: readonly string[]; readonly means: readonly number[]; readonly prior: number; readonly weight: number }
  | { readonly by: 'term'; readonly term: string };

/** A column of the encoded table, and what its training rows hold: enough to impute and to scale by. */
export interface Feature {
  /** The input's name, with `.part`, `.mean` or `:term` behind it where that is what it is. */
  readonly name: string;
  /** The raw input. */
  readonly from: string;
  readonly encoder: Encoder;
  /** Of the training rows that have a value; 0 where none has. Of codes they mean nothing. */
  readonly median: number;
  readonly mean: number;
  /** Standard deviation; 0 where all are equal. */
  readonly deviation: number;
  /** Share of the training rows without a value, 0–1. */
  readonly missing: number;
}

/** The input that a feature is of, by its name: `route` of `route.mean`, `note` of `note:urgent`. Inputs are identifiers, so that no name is torn. */
export const inputOf = (feature: Feature['name']): Feature['from'] => feature.replace(/[.:].*$/, '');

/** The fitted preprocessing of a table: which raw inputs a model takes, and the features made of them, in the order of the encoded columns. */
export interface TableEncoding {
  readonly format: 1;
  readonly inputs: readonly { readonly name: string; readonly kind: InputKind }[];
  readonly features: readonly Feature[];
  /** Input → its terms, each of which is a feature: together, and in this order. */
  readonly vocabularies?: Readonly<Record<string, Vocabulary>>;
  /** What a label means: `classes[label]` of a classification. Binary: the second class is the positive one. */
  readonly classes?: readonly string[];
}

/** The ways to encode inputs of each kind, as a spec names them. */
export const encodings = {
  number: ['value'],
  integer: ['value'],
  flag: ['value'],
  time: timeParts,
  category: ['code', 'mean', 'tf-idf'],
  text: ['tf-idf'],
} as const satisfies Record<InputKind, readonly string[]>;

/** An encoding by terms that says how many; `tf-idf` alone takes a hundred. */
export interface TfIdf {
  readonly as: 'tf-idf';
  readonly terms: number;
}

/** Each term is a column of the encoded table. */
export const mostTerms = 2000;

export type EncodingName = (typeof encodings)[InputKind][number];
export type Encoding = EncodingName | TfIdf;

/** Number of codes of a category feature, the 0 of rare and unseen levels included; `undefined` for a numeric feature. */
export const codesOf = ({ encoder }: Feature): number | undefined => (encoder.by === 'code' ? encoder.levels.length + 1 : undefined);
