/** A tensor as it crosses the boundary to ONNX Runtime: element type, dimensions, row-major values. */
export type Tensor =
  | { readonly type: 'float32'; readonly dims: readonly number[]; readonly data: Float32Array }
  | { readonly type: 'float64'; readonly dims: readonly number[]; readonly data: Float64Array }
  | { readonly type: 'int64'; readonly dims: readonly number[]; readonly data: BigInt64Array }
  | { readonly type: 'bool'; readonly dims: readonly number[]; readonly data: Uint8Array }
  | { readonly type: 'string'; readonly dims: readonly number[]; readonly data: readonly string[] };

/** The named inputs, or outputs, of one call of a model. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** An input or output as a package's manifest declares it; -1 is any length. */
export interface TensorSignature {
  readonly name: string;
  readonly type: Tensor['type'];
  readonly dims: readonly number[];
}
