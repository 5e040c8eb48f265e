import { MlError } from '../core/errors.ts';
import type { TensorSignature } from '../core/onnx-tensor.ts';
import { elementTypes, irVersion, ModelProto, opsets } from './proto.ts';
import type { GraphMessage, ModelMessage, NodeMessage, TensorMessage, ValueInfoMessage } from './proto.ts';

/** What a model says about itself, without its weights. */
export interface ModelDescription {
  readonly irVersion: number;
  /** Operator set versions by domain; `''` is `ai.onnx`. */
  readonly opset: Readonly<Record<string, number>>;
  readonly producer: string;
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  readonly initializers: readonly { readonly name: string; readonly type: number; readonly dims: readonly number[] }[];
  /** How often each operator occurs, subgraphs included. */
  readonly operators: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads an ONNX model and refuses what must not be loaded: bytes that are not a model, weights in other files (they could name any path of this
 * machine), and formats or operator sets that are newer than the runtime.
 *
 * @throws {MlError} `ModelInvalid`
 */
export function readModel(bytes: Uint8Array): ModelDescription {
  const message = decode(bytes);
  const { graph } = message;
  const ir = message.ir_version ?? 0;
  if (!graph || ir < 1 || !graph.output?.length || !message.opset_import?.length) {
    throw refused('these bytes are not an ONNX model: no graph, output, format version or operator set');
  }
  if (ir > irVersion.newest) {
    throw refused(
      `the model is in IR version ${ir}, newer than ${irVersion.newest}, the newest that is read here: export it again with an older one`,
    );
  }
  const opset = Object.fromEntries(message.opset_import.map(({ domain = '', version = 0 }) => [domain === 'ai.onnx' ? '' : domain, version]));
  for (const [domain, version] of Object.entries(opset)) {
    const newest = opsets[domain]?.newest;
    if (newest !== undefined && version > newest) {
      throw refused(`the model needs operator set ${version} of ${domain || 'ai.onnx'}, newer than ${newest}, the newest that is read here`);
    }
  }
  const graphs = [...graphsOf(graph), ...(message.functions ?? []).flatMap(({ node = [] }) => node.flatMap(graphsOfNode))];
  const nodes = [...graphs.flatMap(({ node = [] }) => node), ...(message.functions ?? []).flatMap(({ node = [] }) => node)];
  for (const tensor of [...graphs.flatMap(tensorsOfGraph), ...nodes.flatMap(tensorsOfNode)]) {
    if (tensor.data_location === 1 || tensor.external_data?.length) {
      throw refused(`tensor "${tensor.name ?? ''}" lives in another file: save the model with its weights inside`);
    }
  }
  const constants = new Set(graph.initializer?.map(({ name }) => name));
  const operators: Record<string, number> = {};
  for (const { op_type: op = '' } of nodes) operators[op] = (operators[op] ?? 0) + 1;
  return {
    irVersion: ir,
    opset,
    producer: message.producer_name ?? '',
    inputs: (graph.input ?? []).filter(({ name }) => !constants.has(name)).map(signature),
    outputs: graph.output.map(signature),
    initializers: (graph.initializer ?? []).map(({ name = '', data_type: type = 0, dims = [] }) => ({ name, type, dims })),
    operators,
    metadata: Object.fromEntries((message.metadata_props ?? []).map(({ key = '', value = '' }) => [key, value])),
  };
}

const refused = (why: string, cause?: unknown) => new MlError('ModelInvalid', why, {}, { cause });

function decode(bytes: Uint8Array): ModelMessage {
  try {
    return ModelProto.toObject(ModelProto.decode(bytes), { longs: Number });
  } catch (cause) {
    throw refused(`these ${bytes.length} bytes are not an ONNX model: ${(cause as Error).message}`, cause);
  }
}

const graphsOf = (graph: GraphMessage): GraphMessage[] => [graph, ...(graph.node ?? []).flatMap(graphsOfNode)];

const graphsOfNode = ({ attribute = [] }: NodeMessage): GraphMessage[] =>
  attribute.flatMap(({ g, graphs = [] }) => [...(g ? [g] : []), ...graphs]).flatMap(graphsOf);

const tensorsOfGraph = ({ initializer = [], sparse_initializer: sparse = [] }: GraphMessage): TensorMessage[] => [
  ...initializer,
  ...sparse.flatMap(({ values, indices }) => [values ?? {}, indices ?? {}]),
];

const tensorsOfNode = ({ attribute = [] }: NodeMessage): TensorMessage[] =>
  attribute.flatMap(({ t, tensors = [] }) => [...(t ? [t] : []), ...tensors]);

const names = Object.fromEntries(Object.entries(elementTypes).map(([name, code]) => [code, name])) as Readonly<Record<number, string>>;
const crossing: readonly string[] = ['float32', 'float64', 'int64', 'bool', 'string'] satisfies TensorSignature['type'][];

function signature({ name = '', type }: ValueInfoMessage): TensorSignature {
  const code = type?.tensor_type?.elem_type ?? 0;
  const element = names[code];
  if (element === undefined || !crossing.includes(element)) {
    throw refused(`"${name}" is not a tensor of ${crossing.join(', ')} (element type ${code}): add a Cast to the model, or export it without maps`);
  }
  const dims = (type?.tensor_type?.shape?.dim ?? []).map(({ dim_value: value }) => value ?? -1);
  return { name, type: element as TensorSignature['type'], dims };
}
