import { type Feature, type InputKind, missingInteger, type TableEncoding, tensorTypes, type TimePart } from '../core/encoding.ts';
import { MlError } from '../core/errors.ts';
import { elementTypes } from './proto.ts';
import { type Attribute, float32, type Graph, type Initializer, int64, node, type Node } from './writer.ts';

/**
 * The fitted preprocessing as a graph of standard operators: from the raw inputs, each `[batch, 1]`, to `features`, float32 `[batch, n]`, in the order
 * of the encoding. Names with a slash are no column's, so no wire of the graph is taken for an input; nor is its output, should a column be `features`.
 *
 * @throws {MlError} `ModelInvalid` if the encoding has no feature.
 */
export function tablePrefix({ inputs, features }: TableEncoding): Graph {
  if (features.length === 0) throw new MlError('ModelInvalid', 'the encoding has no feature: a model needs at least one input to learn from');
  const sketch = openSketch();
  const columns = features.map((feature) => encode(sketch, feature, inputs.find(({ name }) => name === feature.from)?.kind));
  const output = inputs.some(({ name }) => name === 'features') ? 'table/features' : 'features';
  return {
    name: 'table',
    inputs: inputs.map(({ name, kind }) => ({ name, type: tensorTypes[kind], dims: [-1, 1] })),
    outputs: [{ name: output, type: 'float32', dims: [-1, features.length] }],
    initializers: sketch.constants,
    nodes: [...sketch.nodes, node('Concat', columns, output, { axis: 1 })],
  };
}

/** A graph in the making. */
interface Sketch {
  readonly nodes: readonly Node[];
  readonly constants: readonly Initializer[];
  /** The wire with an operator's result. What is asked for twice is made once (two parts of a time share its day); a number is an INT64 constant. */
  make(operator: string, inputs: readonly (string | number | bigint)[], attributes?: Readonly<Record<string, Attribute>>): string;
}

const nan = 'table/nan';

function openSketch(): Sketch {
  const nodes: Node[] = [];
  const constants = [float32(nan, [NaN], [])];
  const made = new Map<string, string>();
  function once(what: string, make: (wire: string) => void): string {
    const known = made.get(what);
    if (known !== undefined) return known;
    const wire = `table/${made.size}`;
    made.set(what, wire);
    make(wire);
    return wire;
  }
  const wireOf = (input: string | number | bigint): string =>
    typeof input === 'string' ? input : once(`${input}`, (wire) => constants.push(int64(wire, BigInt64Array.of(BigInt(input)), [])));
  return {
    nodes,
    constants,
    make(operator, inputs, attributes = {}) {
      const wires = inputs.map(wireOf);
      return once(JSON.stringify([operator, wires, attributes]), (wire) => nodes.push(node(operator, wires, wire, attributes)));
    },
  };
}

function encode(sketch: Sketch, { from, encoder }: Feature, kind: InputKind | undefined): string {
  switch (encoder.by) {
    case 'value':
      return kind === 'integer' ? unlessMissing(sketch, from, from) : asFloat(sketch, from);
    case 'part':
      return unlessMissing(sketch, from, timePart(sketch, from, encoder.part));
    case 'code':
      return byLevel(sketch, from, encoder.levels, { values: encoder.levels.map((_, at) => at + 1), missing: NaN, other: 0 });
    case 'mean':
      return byLevel(sketch, from, encoder.levels, { values: encoder.means, missing: encoder.prior, other: encoder.prior });
  }
}

const asFloat = (sketch: Sketch, wire: string): string => sketch.make('Cast', [wire], { to: elementTypes.float32 });

/** A whole number made of `input`, as float32; NaN where the input is missing. */
const unlessMissing = (sketch: Sketch, input: string, wire: string): string =>
  sketch.make('Where', [sketch.make('Equal', [input, missingInteger]), nan, asFloat(sketch, wire)]);

/** A number for each level; one for '' and one for every other text. */
const byLevel = (
  sketch: Sketch,
  input: string,
  levels: readonly string[],
  { values, missing, other }: { readonly values: readonly number[]; readonly missing: number; readonly other: number },
): string =>
  sketch.make('ai.onnx.ml:LabelEncoder', [input], {
    keys_strings: ['', ...levels],
    // No spread: of a hundred thousand levels it overflows the stack.
    values_floats: Float32Array.from([missing].concat(values)),
    default_float: { float: other },
  });

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/**
 * A part of a time in UTC, in whole numbers. Operator Mod is never negative here, so that times before 1970 need no case of their own: Div, which
 * rounds towards zero, only sees what Mod has left, or multiples.
 *
 * The day of the month is found in a calendar of which years begin in March, so that a leap day ends one: in quarters of a day, the day of the
 * 400 years, of the century, of the year; then the month by its 153 days every five months.
 * (Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms", Software: Practice and Experience 2023.)
 */
function timePart(sketch: Sketch, time: string, part: TimePart): string {
  const add = (a: string, b: number): string => sketch.make('Add', [a, b]);
  const times = (a: string, b: number): string => sketch.make('Mul', [a, b]);
  const over = (a: string, b: number): string => sketch.make('Div', [a, b]);
  const within = (a: string, b: number): string => sketch.make('Mod', [a, b], { fmod: 0 });

  const ofDay = within(time, dayMs);
  if (part === 'hour') return over(ofDay, hourMs);

  const days = over(sketch.make('Sub', [time, ofDay]), dayMs);
  // 1 January 1970 was a Thursday.
  const ofWeek = within(add(days, 3), 7);
  if (part === 'day-of-week') return ofWeek;
  if (part === 'weekend') return over(ofWeek, 5);

  // 1 March of the year 0 is 719,468 days before 1970.
  const ofCentury = over(within(add(times(days, 4), 4 * 719_468 + 3), 146_097), 4);
  const ofYear = over(within(add(times(ofCentury, 4), 3), 1461), 4);
  const fifths = add(times(ofYear, 5), 2);
  if (part === 'day') return add(over(within(fifths, 153), 5), 1);
  // Months since March, of which January and February belong to the year before.
  return add(within(add(over(fifths, 153), 2), 12), 1);
}
