import { MlError } from '../core/errors.ts';
import type { TensorSignature } from '../core/onnx-tensor.ts';
import { decodeAll, type GraphMessage, irVersion, ModelProto, opsets, type Writable } from './proto.ts';
import { type ModelDescription, readModel } from './reader.ts';
import { type Graph, model } from './writer.ts';

/** The one input of a trainer's core model: the encoded columns, float32 `[batch, n]`. */
export const coreInput = 'features';

/**
 * Puts a prefix that makes features of raw inputs before a trainer's core model, ours or one that Python made: one model from raw inputs to the core's
 * outputs, which keep their names. All that is the core's stays in it (functions, custom operators, metadata, producer); its inner names get `core/`
 * before them, so that none meets a raw input's.
 *
 * @throws {MlError} `ModelInvalid` if `readModel` refuses the core, if it takes anything but `features` of this width and any number of rows, if an
 * output has an input's name, or if its operator sets are too old for the prefix.
 */
export function joinModels(prefix: Graph, core: Uint8Array): Uint8Array {
  const link = prefix.outputs[0]!;
  const described = readModel(core);
  checkInput(described.inputs, link.dims[1]!);
  const clash = described.outputs.find(({ name }) => prefix.inputs.some((input) => input.name === name));
  if (clash) throw refused(`its output "${clash.name}" is named as an input of the request is: rename one of them`);

  const front = model(prefix);
  const before = decodeAll(front).graph!;
  const joined = decodeAll(core);
  const after = joined.graph!;
  renameAll(after, namesBehind(link.name, new Set(described.outputs.map(({ name }) => name))));
  // Formats before IR 4 also list constants as inputs: those stay as constants only.
  after.input = before.input!;
  after.node = [...before.node!, ...after.node!];
  after.initializer = [...before.initializer!, ...after.initializer!];
  joined.ir_version = Math.max(described.irVersion, irVersion.written);
  const opset = { ...described.opset, ...commonOpsets(Object.keys(readModel(front).opset), described) };
  joined.opset_import = Object.entries(opset).map(([domain, version]) => ({ domain, version }));
  return ModelProto.encode(joined).finish();
}

const refused = (why: string) => new MlError('ModelInvalid', `the trainer's model cannot be joined with the preprocessing: ${why}`);

function checkInput(inputs: readonly TensorSignature[], width: number): void {
  const features = inputs.find(({ name }) => name === coreInput);
  const wanted = `it has to take "${coreInput}" float32[-1, ${width}]`;
  if (!features) throw refused(`${wanted}, and takes ${inputs.map(({ name }) => `"${name}"`).join(', ') || 'nothing'}`);
  const { type, dims } = features;
  if (type !== 'float32' || dims.length !== 2 || dims[0] !== -1 || (dims[1] !== -1 && dims[1] !== width)) {
    throw refused(`${wanted}, and takes it as ${type}[${dims.join(', ')}]`);
  }
  const extra = inputs.find((input) => input !== features);
  if (extra) throw refused(`${wanted} and nothing else, and also takes "${extra.name}"`);
}

/**
 * Operator sets from which on the operators of a prefix (arithmetic, Mod, Cast, Equal, Where, Concat, Scan, those of texts; LabelEncoder) mean what they mean in the newest:
 * the core's own set stands if it is no older.
 */
const prefixNeeds: Readonly<Record<string, number>> = { '': 10, 'ai.onnx.ml': 2, 'com.microsoft': 1 };

/** An older core is lifted to that set, from these on, if it has no operator that changed its meaning in between. (Converters declare the oldest set that will do.) */
const liftable: Readonly<Record<string, { readonly from: number; readonly but: readonly string[] }>> = {
  '': { from: 7, but: ['BatchNormalization', 'Dropout', 'Scan', 'Slice', 'TopK', 'Upsample'] },
  'ai.onnx.ml': { from: 1, but: ['LabelEncoder'] },
};

function commonOpsets(domains: readonly string[], { opset, operators }: ModelDescription): Record<string, number> {
  return Object.fromEntries(
    domains.map((domain) => {
      const theirs = opset[domain];
      const needed = prefixNeeds[domain]!;
      if (theirs === undefined) return [domain, opsets[domain]!.written];
      if (theirs >= needed) return [domain, theirs];
      const { from, but } = liftable[domain]!;
      const changed = but.find((operator) => Object.hasOwn(operators, operator));
      if (theirs >= from && !changed) return [domain, needed];
      const why = changed && theirs >= from ? `, and its ${changed} means something else there` : '';
      throw refused(`it is in operator set ${theirs} of ${domain || 'ai.onnx'}, the preprocessing needs ${needed}${why}: export it with a newer one`);
    }),
  );
}

/** New names for those of a core: no two become one. */
function namesBehind(link: string, outputs: ReadonlySet<string>): (name: string) => string {
  let mark = 'core/';
  while ([...outputs].some((name) => name.startsWith(mark))) mark = `core/${mark}`;
  return (name) => {
    if (name === coreInput) return link;
    return name === '' || outputs.has(name) ? name : mark + name;
  };
}

/** Renames every value of a graph and of the graphs within. A function's own names are no business of the graph. */
export function renameAll(graph: Writable<GraphMessage>, rename: (name: string) => string): void {
  const constants = [...graph.initializer!, ...graph.sparse_initializer!.map(({ values }) => values!)];
  for (const value of [...graph.input!, ...graph.output!, ...graph.value_info!, ...constants]) value.name = rename(value.name!);
  for (const node of graph.node!) {
    node.input = node.input!.map(rename);
    node.output = node.output!.map(rename);
    for (const { g, graphs } of node.attribute!) for (const inner of g ? [g, ...graphs!] : graphs!) renameAll(inner, rename);
  }
  for (const annotation of graph.quantization_annotation!) {
    annotation.tensor_name = rename(annotation.tensor_name!);
    for (const parameter of annotation.quant_parameter_tensor_names!) parameter.value = rename(parameter.value!);
  }
}
