import { type Encoder, type InputKind, missingInteger, type TableEncoding, tensorTypes, type TimePart } from '../core/encoding.ts';
import { MlError } from '../core/errors.ts';
import { term, type Vocabulary } from '../core/tf-idf.ts';
import { elementTypes } from './proto.ts';
import { type Attribute, float32, float64, type Graph, type Initializer, int64, node, type Node } from './writer.ts';

/**
 * The fitted preprocessing as a graph of standard operators (but for Tokenizer): from the raw inputs, each `[batch, 1]`, to `features`, float32 `[batch, n]`,
 * in the order of the encoding. Names with a slash are no column's, so no wire of the graph is taken for an input; nor is its output, should a column be `features`.
 *
 * @throws {MlError} `ModelInvalid` if the encoding has no feature.
 */
export function tablePrefix({ inputs, features, vocabularies = {} }: TableEncoding): Graph {
  if (features.length === 0) throw new MlError('ModelInvalid', 'the encoding has no feature: a model needs at least one input to learn from');
  const sketch = openSketch();
  const columns = features.flatMap(({ from, encoder }) => {
    if (encoder.by !== 'term') return encode(sketch, from, encoder, inputs.find(({ name }) => name === from)?.kind);
    const vocabulary = vocabularies[from]!;
    // All terms of a text are one piece.
    return encoder.term === vocabulary.terms[0] ? termsOf(sketch, from, vocabulary) : [];
  });
  const output = inputs.some(({ name }) => name === 'features') ? 'table/features' : 'features';
  return {
    name: 'table',
    inputs: inputs.map(({ name, kind }) => ({ name, type: tensorTypes[kind], dims: [-1, 1] })),
    outputs: [{ name: output, type: 'float32', dims: [-1, features.length] }],
    initializers: sketch.constants,
    nodes: [...sketch.nodes, node('Concat', columns, output, { axis: 1 })],
  };
}

/** A value by its name, or a constant. */
type Wire = string | number | bigint | Initializer;

/** A graph in the making. */
interface Sketch {
  readonly nodes: readonly Node[];
  readonly constants: readonly Initializer[];
  /** The wire with an operator's result. What is asked for twice is made once (two parts of a time share its day); a number is an INT64 constant. */
  make(operator: string, inputs: readonly Wire[], attributes?: Readonly<Record<string, Attribute>>): string;
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
  function wireOf(input: Wire): string {
    if (typeof input === 'string') return input;
    if (typeof input !== 'object') return once(`${input}`, (wire) => constants.push(int64(wire, BigInt64Array.of(BigInt(input)), [])));
    constants.push(input);
    return input.name;
  }
  return {
    nodes,
    constants,
    make(operator, inputs, attributes = {}) {
      const wires = inputs.map(wireOf);
      return once(JSON.stringify([operator, wires, attributes]), (wire) => nodes.push(node(operator, wires, wire, attributes)));
    },
  };
}

function encode(sketch: Sketch, from: string, encoder: Exclude<Encoder, { readonly by: 'term' }>, kind: InputKind | undefined): string {
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

/**
 * What texts have of each term, `[batch, terms]`: row by row, since the Tokenizer pads all rows to as many terms as the longest of them has, and one long text
 * would take memory for thousands. ONNX itself has no operator that finds words: its StringSplit knows one separator at a time, and is too new for most
 * exporters. Tokenizer is ONNX Runtime's own.
 */
function termsOf(sketch: Sketch, text: string, { terms, weights }: Vocabulary): string {
  const wire = (name: string): string => `${text}/${name}`;
  const row: Graph = {
    name: wire('row'),
    inputs: [{ name: wire('text'), type: 'string', dims: [1] }],
    outputs: [{ name: wire('times'), type: 'float32', dims: [terms.length] }],
    initializers: [int64(wire('flat'), [-1])],
    nodes: [
      node('StringNormalizer', [wire('text')], wire('lower'), { case_change_action: 'LOWER', is_case_sensitive: 1, locale: 'C' }),
      node('com.microsoft:Tokenizer', [wire('lower')], wire('found'), { mark: 0, mincharnum: 1, pad_value: '', tokenexp: term.re2 }),
      node('Reshape', [wire('found'), wire('flat')], wire('terms')),
      node('TfIdfVectorizer', [wire('terms')], wire('times'), {
        mode: 'TF',
        min_gram_length: 1,
        max_gram_length: 1,
        max_skip_count: 0,
        ngram_counts: [0],
        ngram_indexes: [...terms.keys()],
        pool_strings: terms,
      }),
    ],
  };
  const times = sketch.make('Cast', [sketch.make('Scan', [text], { body: row, num_scan_inputs: 1 })], { to: elementTypes.float64 });
  const weighed = sketch.make('Mul', [times, float64(wire('weights'), weights)]);
  // A sum by MatMul, since the operators that reduce take their axis otherwise from set to set.
  const squares = sketch.make('MatMul', [
    sketch.make('Mul', [weighed, weighed]),
    float64(
      wire('ones'),
      terms.map(() => 1),
      [terms.length, 1],
    ),
  ]);
  // A text without any term has no length to divide by.
  const length = sketch.make('Max', [sketch.make('Sqrt', [squares]), float64(wire('least'), [1e-9], [])]);
  return asFloat(sketch, sketch.make('Div', [weighed, length]));
}

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
