import { MlError } from '../core/errors.ts';
import { renameAll } from './join.ts';
import { decodeAll, ModelProto, opsets } from './proto.ts';
import { readModel } from './reader.ts';
import { type Graph, model } from './writer.ts';

/**
 * Puts `tail` behind one output of a model: its outputs become the model's only ones. What the tail makes keeps its name; a value of the model that has it
 * gets another. The tail's operators are of the model's own operator set: take some that mean the same in all that are read.
 *
 * @throws {MlError} `ModelInvalid` if there is no such output.
 */
export function appendGraph(onnx: Uint8Array, output: string, tail: Graph): Uint8Array {
  const described = readModel(onnx);
  if (!described.outputs.some(({ name }) => name === output)) throw new MlError('ModelInvalid', `the model has no output "${output}"`);
  const inputs = new Set(described.inputs.map(({ name }) => name));
  const whole = decodeAll(onnx);
  const [graph, behind] = [whole.graph!, decodeAll(model(tail)).graph!];
  renameAll(graph, (name) => (name === '' || inputs.has(name) ? name : `exported/${name}`));
  renameAll(behind, (name) => (name === tail.inputs[0]!.name ? `exported/${output}` : name));
  graph.node = [...graph.node!, ...behind.node!];
  graph.initializer = [...graph.initializer!, ...behind.initializer!];
  graph.output = behind.output!;
  // Converters make up a new name each time, and the same model would have other bytes.
  graph.name = behind.name!;
  if (described.opset[''] === undefined) whole.opset_import!.push({ domain: '', version: opsets['']!.written });
  return ModelProto.encode(whole).finish();
}
