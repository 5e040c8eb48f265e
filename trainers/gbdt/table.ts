/** A column of a table. Values are read as float32, as the model's inputs are; NaN is missing. */
export interface Feature {
  readonly values: Float32Array | Float64Array;
  /** For a category: how many levels there are. Values are then whole numbers from 0 to `levels` − 1; any other is an unseen level. */
  readonly levels?: number;
}

/** Rows to fit or to score on. */
export interface LabelledRows {
  readonly features: readonly Feature[];
  /** A number; for `logistic` 0 or 1; for `softmax` the class, from 0. */
  readonly labels: Float32Array | Float64Array;
  /** Weights of the rows; all 1 if left out. */
  readonly weights?: Float32Array | Float64Array;
}
