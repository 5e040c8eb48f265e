import { codesAt, entryBytes, fetchedRows, longestRecord } from './plan.ts';
import type { Block, Plan, Shape } from './plan.ts';
import { assemble, copyBytes, f32, f32x4, fillBytes, f64, func, i32, i64, i64x2, Instance, Module, repeat, select, when } from './wasm.ts';
import type { Code, Func, Variable, WasmMemory, WasmModule } from './wasm.ts';

/** The loops that take the time. Row numbers, lists and histograms are given as addresses; `end` is the address after the last. */
export interface Kernels {
  /** Adds the listed rows to the histogram at `into`, for the features of a block. */
  readonly histograms: readonly ((list: number, end: number, into: number, fetched: number) => void)[];
  /** Derivatives of the rows from number `row` up to `end`, as whole numbers, into the rows of a block. */
  readonly quantise: readonly ((row: number, end: number, gradients: number, hessians: number, perGradient: number, perHessian: number) => void)[];
  /** The largest size of float32 numbers, read as whole vectors; NaN if one is. */
  readonly largest: (from: number, end: number) => number;
  /** JavaScript's own way with shared memory goes byte by byte. */
  readonly copy: (to: number, from: number, bytes: number) => void;
  readonly clear: (from: number, bytes: number) => void;
  /** Histogram entries `into += from`, up to `end` of `from`. */
  readonly add: (into: number, from: number, end: number) => void;
  /** Histogram entries `into -= from`. */
  readonly subtract: (into: number, from: number, end: number) => void;
  /** Histogram entries as 256 sums of gradients and of hessians (doubles, in units), then numbers of rows (32 bits each). */
  readonly unpack: (from: number, end: number, into: number) => void;
  /**
   * Writes the listed rows whose code in `column` goes left by `route` to `left`, the others to `right`, both in their order. `left` may be the list
   * itself. @returns the address after the last on the left.
   */
  readonly partition: (list: number, end: number, left: number, right: number, column: number, route: number) => number;
  /** Adds the value at an address to the scores of the listed rows. */
  readonly scatter: (list: number, end: number, value: number, scores: number) => void;
  /** Sends the listed rows down the tree from its first split, and adds their leaf's value to their scores. */
  readonly descend: (list: number, end: number, scores: number) => void;
  /** Codes of float32 values: the number of 255 ascending bounds that are below; `missing` for NaN. */
  readonly encode: (values: number, end: number, bounds: number, into: number, missing: number) => void;
}

/** The kernels of a plan as a WebAssembly module: addresses and the numbers of features and rows are constants in its code. */
export function kernelModule(shape: Shape, plan: Plan, countBits: number, unitHessian: boolean): WasmModule {
  const histograms = plan.blocks.map((block, index) => histogram(`histogram${index}`, block, plan, countBits));
  const quantised = plan.blocks.map((block, index) => quantise(`quantise${index}`, block, unitHessian));
  const functions = [
    ...histograms,
    ...quantised,
    largest,
    copy,
    clear,
    add,
    subtract,
    unpack(countBits, unitHessian),
    partition,
    scatter,
    descend(shape, plan),
    encode,
  ];
  return new Module(assemble(functions, pagesOf(plan)));
}

export const pagesOf = (plan: Plan): number => Math.ceil(plan.bytes / 65_536);

export function instantiate(module: WasmModule, memory: WasmMemory, blocks: number): Kernels {
  const exported = new Instance(module, { env: { memory } }).exports as unknown as Kernels & Readonly<Record<string, never>>;
  const byBlock = (name: string) => Array.from({ length: blocks }, (_, index) => exported[`${name}${index}`]!);
  return { ...exported, histograms: byBlock('histogram'), quantise: byBlock('quantise') };
}

const next = (variable: Variable, by: number): Code => variable.set(i32.add(variable.get, i32.const(by)));
const times = (value: Code, log2: number): Code => i32.shl(value, i32.const(log2));

/**
 * Rows of a leaf are far apart, and a processor looks only so many instructions ahead. So a few rows are fetched first, by a loop so short that many
 * fetches are under way at once; then all of a row's features are added up without a loop, gradient and hessian in one vector.
 */
function histogram(name: string, { first, width, stride, rows }: Block, { entriesAt }: Plan, countBits: number): Func {
  const oneRow = i64x2.const(0n, 1n << BigInt(64 - countBits));
  const vectors = stride / 16;
  const parameters = ['i32', 'i32', 'i32', 'i32'] as const;
  return func(name, { parameters, locals: ['i32', 'i32', 'i32', 'i32', 'v128'] }, (list, end, into, fetched, row, stop, to, entry, sums) => [
    repeat(
      [
        stop.set(i32.add(list.get, i32.const(fetchedRows * 4))),
        when(i32.below(end.get, stop.get), stop.set(end.get)),
        to.set(fetched.get),
        repeat(
          [
            row.set(times(i32.load(list.get), Math.log2(stride))),
            ...Array.from({ length: vectors }, (_, at) => i64x2.store(to.get, i64x2.load(row.get, rows + 16 * at), 16 * at)),
            next(to, longestRecord),
            next(list, 4),
          ],
          i32.below(list.get, stop.get),
        ),
        stop.set(to.get),
        to.set(fetched.get),
        repeat(
          [
            sums.set(i64x2.add(i64x2.load32(to.get), oneRow)),
            ...Array.from({ length: width }, (_, feature) => {
              const at = entriesAt[first + feature]!;
              const address = entry.tee(i32.add(times(i32.load8(to.get, codesAt + feature), Math.log2(entryBytes)), into.get));
              return i64x2.store(address, i64x2.add(i64x2.load(entry.get, at), sums.get), at);
            }),
            next(to, longestRecord),
          ],
          i32.below(to.get, stop.get),
        ),
      ],
      i32.below(list.get, end.get),
    ),
  ]);
}

/** The hessian is left as it is where rows are only counted. */
const quantise = (name: string, { rows, stride }: Block, unitHessian: boolean): Func =>
  func(
    name,
    { parameters: ['i32', 'i32', 'i32', 'i32', 'f32', 'f32'], locals: ['i32'] },
    (row, end, gradients, hessians, perGradient, perHessian, to) => [
      gradients.set(i32.add(gradients.get, times(row.get, 2))),
      hessians.set(i32.add(hessians.get, times(row.get, 2))),
      to.set(times(row.get, Math.log2(stride))),
      repeat(
        [
          i32.store(to.get, f32.round(f32.multiply(f32.load(gradients.get), perGradient.get)), rows),
          unitHessian ? [] : i32.store(to.get, f32.round(f32.multiply(f32.load(hessians.get), perHessian.get)), rows + 4),
          next(gradients, 4),
          next(hessians, 4),
          next(to, stride),
          next(row, 1),
        ],
        i32.below(row.get, end.get),
      ),
    ],
  );

const entrywise = (name: string, of: (a: Code, b: Code) => Code): Func =>
  func(name, { parameters: ['i32', 'i32', 'i32'] }, (into, from, end) => [
    repeat([i64x2.store(into.get, of(i64x2.load(into.get), i64x2.load(from.get))), next(into, 16), next(from, 16)], i32.below(from.get, end.get)),
  ]);

const largest = func('largest', { parameters: ['i32', 'i32'], locals: ['v128'], result: 'f32' }, (from, end, most) => [
  repeat([most.set(f32x4.max(most.get, f32x4.abs(f32x4.load(from.get)))), next(from, 16)], i32.below(from.get, end.get)),
  f32.max(f32.max(f32x4.lane(most.get, 0), f32x4.lane(most.get, 1)), f32.max(f32x4.lane(most.get, 2), f32x4.lane(most.get, 3))),
]);
const copy = func('copy', { parameters: ['i32', 'i32', 'i32'] }, (to, from, bytes) => [copyBytes(to.get, from.get, bytes.get)]);
const clear = func('clear', { parameters: ['i32', 'i32'] }, (from, bytes) => [fillBytes(from.get, i32.const(0), bytes.get)]);
const add = entrywise('add', i64x2.add);
const subtract = entrywise('subtract', i64x2.sub);

function unpack(countBits: number, unitHessian: boolean): Func {
  const shift = BigInt(64 - countBits);
  return func('unpack', { parameters: ['i32', 'i32', 'i32'], locals: ['i32', 'i64'] }, (from, end, into, rows, upper) => [
    rows.set(i32.add(into.get, i32.const(2 * 2048))),
    repeat(
      [
        upper.set(i64.load(from.get, 8)),
        f64.store(into.get, f64.of(i64.load(from.get))),
        i32.store(rows.get, i64.low(i64.shiftRight(upper.get, i64.const(shift)))),
        // A row's hessian of 1 is its being counted.
        f64.store(
          into.get,
          f64.of(unitHessian ? i64.shiftRight(upper.get, i64.const(shift)) : i64.and(upper.get, i64.const((1n << shift) - 1n))),
          2048,
        ),
        next(from, 16),
        next(into, 8),
        next(rows, 4),
      ],
      i32.below(from.get, end.get),
    ),
  ]);
}

/** Each row is written to both sides, and the end of one of them moves: nothing for the processor to guess. */
const partition = func(
  'partition',
  { parameters: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], locals: ['i32', 'i32'], result: 'i32' },
  (list, end, left, right, column, route, row, step) => [
    repeat(
      [
        row.set(i32.load(list.get)),
        step.set(times(i32.load8(i32.add(i32.load8(i32.add(row.get, column.get)), route.get)), 2)),
        i32.store(left.get, row.get),
        i32.store(right.get, row.get),
        left.set(i32.add(left.get, step.get)),
        right.set(i32.sub(i32.add(right.get, i32.const(4)), step.get)),
        next(list, 4),
      ],
      i32.below(list.get, end.get),
    ),
    left.get,
  ],
);

const scatter = func('scatter', { parameters: ['i32', 'i32', 'i32', 'i32'], locals: ['f64', 'i32'] }, (list, end, value, scores, sum, score) => [
  sum.set(f64.load(value.get)),
  repeat(
    [score.set(i32.add(times(i32.load(list.get), 3), scores.get)), f64.store(score.get, f64.add(f64.load(score.get), sum.get)), next(list, 4)],
    i32.below(list.get, end.get),
  ),
]);

const descend = ({ rows, validationRows }: Shape, plan: Plan): Func =>
  func('descend', { parameters: ['i32', 'i32', 'i32'], locals: ['i32', 'i32', 'i32', 'i32'] }, (list, end, scores, row, split, at, goes) => [
    repeat(
      [
        row.set(i32.load(list.get)),
        split.set(i32.const(0)),
        repeat(
          [
            at.set(i32.mul(split.get, i32.const(12))),
            goes.set(i32.load8(i32.add(row.get, i32.mul(i32.load(at.get, plan.splits), i32.const(rows + validationRows))), plan.columns)),
            goes.set(i32.load8(i32.add(times(split.get, 8), goes.get), plan.routes)),
            split.set(i32.load(i32.add(at.get, times(goes.get, 2)), plan.splits + 4)),
          ],
          i32.atLeast(split.get, i32.const(0)),
        ),
        row.set(i32.add(times(row.get, 3), scores.get)),
        f64.store(row.get, f64.add(f64.load(row.get), f64.load(times(i32.sub(i32.const(-1), split.get), 3), plan.leafValues))),
        next(list, 4),
      ],
      i32.below(list.get, end.get),
    ),
  ]);

/** A binary search of eight steps without a branch; bounds that do not exist are infinite. */
const encode = func(
  'encode',
  { parameters: ['i32', 'i32', 'i32', 'i32', 'i32'], locals: ['f32', 'i32'] },
  (values, end, bounds, into, missing, value, code) => [
    repeat(
      [
        value.set(f32.load(values.get)),
        code.set(i32.const(0)),
        ...[7, 6, 5, 4, 3, 2, 1, 0].map((bit) => {
          const bound = f32.load(i32.add(bounds.get, times(code.get, 2)), ((1 << bit) - 1) * 4);
          return code.set(i32.add(code.get, times(f32.above(value.get, bound), bit)));
        }),
        i32.store8(into.get, select(f32.unequal(value.get, value.get), missing.get, code.get)),
        next(values, 4),
        next(into, 1),
      ],
      i32.below(values.get, end.get),
    ),
  ],
);
