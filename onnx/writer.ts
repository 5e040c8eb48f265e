import { endianness } from 'node:os';
import { MlError } from '../core/errors.ts';
import type { TensorSignature } from '../core/onnx-tensor.ts';
import { attributeTypes, elementTypes, irVersion, ModelProto, opsets } from './proto.ts';
import type { AttributeMessage, GraphMessage, ModelMessage, NodeMessage, TensorMessage, ValueInfoMessage } from './proto.ts';

/** A constant of a graph. Make one with `float32`, `float64`, `int64`, `int32`, `bool` or `strings`. */
export interface Initializer {
  readonly name: string;
  readonly type: keyof typeof elementTypes;
  readonly dims: readonly number[];
  /** Little-endian values, row-major; text is UTF-8. */
  readonly data: Uint8Array | readonly Uint8Array[];
}

/** A graph of nodes in an order in which every value is made before it is used. */
export interface Graph {
  readonly name?: string;
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  readonly initializers?: readonly Initializer[];
  readonly nodes: readonly Node[];
}

export interface Model extends Graph {
  /** Plain text beside the graph. ONNX Runtime ignores it; `readModel` gives it back. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A whole number is INT and a list of them INTS: write a real as `{ float: 1 }` and reals as a `Float32Array`, since JavaScript cannot tell 1 from 1.0.
 * An initializer is a TENSOR, a graph a GRAPH.
 */
export type Attribute = number | readonly number[] | { readonly float: number } | Float32Array | string | readonly string[] | Initializer | Graph;

/** One operator of the graph. Make one with `node`. */
export interface Node {
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** An operator of `ai.onnx` (or of another domain, as in `ai.onnx.ml:TreeEnsembleRegressor`). An input that is left out is `''`. */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: string | readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
): Node {
  const [op, domain = ''] = operator.split(':').reverse() as [string, string?];
  return { op, domain, inputs, outputs: typeof outputs === 'string' ? [outputs] : outputs, attributes };
}

export const float32 = (name: string, values: ArrayLike<number>, dims?: readonly number[]): Initializer =>
  initializer('float32', name, values instanceof Float32Array ? values : Float32Array.from(values), dims);

export const float64 = (name: string, values: ArrayLike<number>, dims?: readonly number[]): Initializer =>
  initializer('float64', name, values instanceof Float64Array ? values : Float64Array.from(values), dims);

export const int32 = (name: string, values: ArrayLike<number>, dims?: readonly number[]): Initializer =>
  initializer('int32', name, values instanceof Int32Array ? values : Int32Array.from(values), dims);

export const int64 = (name: string, values: ArrayLike<number> | BigInt64Array, dims?: readonly number[]): Initializer =>
  initializer('int64', name, values instanceof BigInt64Array ? values : BigInt64Array.from(Array.from(values, BigInt)), dims);

export const bool = (name: string, values: ArrayLike<boolean | number>, dims?: readonly number[]): Initializer =>
  initializer('bool', name, Uint8Array.from(Array.from(values, (value) => (value ? 1 : 0))), dims);

export function strings(name: string, values: readonly string[], dims: readonly number[] = [values.length]): Initializer {
  checkLength(name, values.length, dims);
  return { name, type: 'string', dims, data: values.map((value) => Buffer.from(value, 'utf8')) };
}

/**
 * Serialises a model as an ONNX ModelProto (IR 8, opset 18). The same model gives the same bytes. `dims` left out of an initializer mean a vector;
 * a scalar has `dims` `[]`.
 *
 * @throws {MlError} `ModelInvalid` if a name is used before it is made, made twice, or an output is never made.
 */
export function model(from: Model): Uint8Array {
  checkNames(from, new Set());
  const domains = [...new Set(['', ...domainsOf(from)])].toSorted();
  const message: ModelMessage = {
    ir_version: irVersion.written,
    producer_name: 'perennial',
    graph: graphMessage(from),
    opset_import: domains.map((domain) => ({ domain, version: opsets[domain]?.written ?? 1 })),
    metadata_props: Object.entries(from.metadata ?? {})
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key, value })),
  };
  return ModelProto.encode(message).finish();
}

type Values = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

function initializer(type: Initializer['type'], name: string, values: Values, dims: readonly number[] = [values.length]): Initializer {
  checkLength(name, values.length, dims);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, type, dims, data: endianness() === 'LE' ? bytes : reversed(bytes, values.BYTES_PER_ELEMENT) };
}

/** The raw data of ONNX is little-endian on every machine. */
function reversed(bytes: Uint8Array, width: number): Uint8Array {
  const copy = bytes.slice();
  for (let at = 0; at < copy.length; at += width) copy.subarray(at, at + width).reverse();
  return copy;
}

function checkLength(name: string, length: number, dims: readonly number[]): void {
  const expected = dims.reduce((product, dim) => product * dim, 1);
  if (length === expected) return;
  throw new MlError('ModelInvalid', `initializer "${name}" has ${length} values, but its dimensions [${dims.join(', ')}] hold ${expected}`);
}

function checkNames(graph: Graph, outer: ReadonlySet<string>): void {
  const made = new Set(outer);
  const make = (name: string, what: string) => {
    if (made.has(name)) throw new MlError('ModelInvalid', `the graph makes "${name}" twice (${what}): give each value its own name`);
    made.add(name);
  };
  for (const { name } of graph.inputs) make(name, 'input');
  for (const { name } of graph.initializers ?? []) make(name, 'initializer');
  for (const { op, inputs, outputs, attributes } of graph.nodes) {
    const unknown = inputs.find((name) => name !== '' && !made.has(name));
    if (unknown !== undefined) throw new MlError('ModelInvalid', `node ${op} uses "${unknown}" before anything makes it: order the nodes`);
    for (const attribute of Object.values(attributes)) if (isGraph(attribute)) checkNames(attribute, made);
    for (const name of outputs) if (name !== '') make(name, `output of ${op}`);
  }
  const missing = graph.outputs.find(({ name }) => !made.has(name));
  if (missing) throw new MlError('ModelInvalid', `nothing in the graph makes its output "${missing.name}"`);
}

function domainsOf(graph: Graph): string[] {
  return graph.nodes.flatMap(({ domain, attributes }) => [domain, ...Object.values(attributes).filter(isGraph).flatMap(domainsOf)]);
}

const isGraph = (attribute: Attribute): attribute is Graph => typeof attribute === 'object' && 'nodes' in attribute;

const graphMessage = ({ name = 'model', inputs, outputs, initializers = [], nodes }: Graph): GraphMessage => ({
  name,
  node: nodes.map(nodeMessage),
  initializer: initializers.map(tensorMessage),
  input: inputs.map(valueMessage),
  output: outputs.map(valueMessage),
});

const nodeMessage = ({ op, domain, inputs, outputs, attributes }: Node): NodeMessage => ({
  input: inputs,
  output: outputs,
  op_type: op,
  ...(domain && { domain }),
  attribute: Object.entries(attributes).map(([name, value]) => attributeMessage(name, value)),
});

const valueMessage = ({ name, type, dims }: TensorSignature): ValueInfoMessage => ({
  name,
  type: { tensor_type: { elem_type: elementTypes[type], shape: { dim: dims.map((dim) => (dim < 0 ? {} : { dim_value: dim })) } } },
});

const tensorMessage = ({ name, type, dims, data }: Initializer): TensorMessage => ({
  name,
  data_type: elementTypes[type],
  dims,
  ...(data instanceof Uint8Array ? { raw_data: data } : { string_data: data }),
});

function attributeMessage(name: string, value: Attribute): AttributeMessage {
  if (typeof value === 'number') return { name, type: attributeTypes.int, i: whole(name, value) };
  if (typeof value === 'string') return { name, type: attributeTypes.string, s: Buffer.from(value, 'utf8') };
  if (value instanceof Float32Array) return { name, type: attributeTypes.floats, floats: Array.from(value) };
  if (isList(value)) {
    if (value.every((element) => typeof element === 'string')) {
      return { name, type: attributeTypes.strings, strings: value.map((text) => Buffer.from(text, 'utf8')) };
    }
    return { name, type: attributeTypes.ints, ints: value.map((element) => whole(name, element)) };
  }
  if ('float' in value) return { name, type: attributeTypes.float, f: value.float };
  if ('nodes' in value) return { name, type: attributeTypes.graph, g: graphMessage(value) };
  return { name, type: attributeTypes.tensor, t: tensorMessage(value) };
}

const isList = (value: Attribute): value is readonly number[] | readonly string[] => Array.isArray(value);

function whole(name: string, value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new MlError('ModelInvalid', `attribute "${name}" is ${value}: a plain number is an INT; write a real as { float: ${value} }`);
}
