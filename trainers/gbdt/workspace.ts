import { instantiate } from './kernels.ts';
import type { Kernels } from './kernels.ts';
import { objectiveOf } from './losses.ts';
import type { Objective, Scored } from './losses.ts';
import type { Binning } from './bins.ts';
import type { GbdtOptions } from './options.ts';
import { derivativeStride, entriesBytes, entryBytes, foundFields, leafFields, planOf } from './plan.ts';
import type { Plan, Shape } from './plan.ts';
import type { Entries } from './split.ts';
import type { WasmMemory, WasmModule } from './wasm.ts';

/** What every thread is given when it starts. The rest is in the memory that they share. */
export interface Opening {
  readonly shape: Shape;
  readonly options: GbdtOptions;
  readonly kinds: readonly Binning['kind'][];
  readonly memory: WasmMemory;
  readonly module: WasmModule;
}

/** A thread's view of the shared memory, and the kernels that work on it. */
export interface Workspace {
  readonly shape: Shape;
  readonly options: GbdtOptions;
  readonly kinds: readonly Binning['kind'][];
  readonly plan: Plan;
  readonly kernels: Kernels;
  readonly objective: Objective;
  readonly scored: Scored;
  readonly bytes: Uint8Array;
  readonly order: Int32Array;
  readonly spare: Int32Array;
  readonly gradients: Float32Array;
  readonly hessians: Float32Array;
  readonly leafValues: Float64Array;
  readonly losses: Float64Array;
  readonly extremes: Float64Array;
  readonly leafSums: Float64Array;
  readonly found: Float64Array;
  readonly foundSets: Uint8Array;
  readonly sampled: Uint8Array;
  readonly routes: Uint8Array;
  readonly splits: Int32Array;
  readonly leafRows: Int32Array;
  /** Hessians are not summed: they are the number of rows. */
  readonly unitHessian: boolean;
  /** By thread, what `unpacked` gives. */
  readonly entries: readonly Entries[];
}

export const isUnit = ({ unitHessian }: Objective, { weighted }: Shape): boolean => unitHessian && !weighted;

/** Enough bits to count the rows; the other bits of an entry's upper half hold the sum of hessians. */
export const countBitsOf = ({ rows }: Shape): number => Math.max(1, Math.ceil(Math.log2(rows + 1)));

export function openWorkspace({ shape, options, kinds, memory, module }: Opening): Workspace {
  const plan = planOf(shape);
  const { buffer } = memory;
  const { rows, validationRows, outputs, leaves, threads, codes } = shape;
  const all = rows + validationRows;
  const objective = objectiveOf(options.loss);
  const doubles = (at: number, length: number) => new Float64Array(buffer, at, length);
  return {
    shape,
    options,
    kinds,
    plan,
    kernels: instantiate(module, memory, plan.blocks.length),
    objective,
    scored: {
      labels: doubles(plan.labels, all),
      weights: shape.weighted ? doubles(plan.weights, all) : undefined,
      scores: doubles(plan.scores, outputs * all),
      stride: all,
    },
    bytes: new Uint8Array(buffer),
    order: new Int32Array(buffer, plan.order, all),
    spare: new Int32Array(buffer, plan.spare, all),
    gradients: new Float32Array(buffer, plan.gradients, outputs * derivativeStride(rows)),
    hessians: new Float32Array(buffer, plan.hessians, outputs * derivativeStride(rows)),
    leafValues: doubles(plan.leafValues, leaves),
    losses: doubles(plan.losses, (plan.extremes - plan.losses) / 8),
    extremes: doubles(plan.extremes, threads * outputs * 2),
    leafSums: doubles(plan.leafSums, 2 * leafFields),
    found: doubles(plan.found, 2 * codes.length * foundFields),
    foundSets: new Uint8Array(buffer, plan.foundSets, 2 * codes.length * 256),
    sampled: new Uint8Array(buffer, plan.sampled, codes.length),
    routes: new Uint8Array(buffer, plan.routes, leaves * 256),
    splits: new Int32Array(buffer, plan.splits, leaves * 3),
    leafRows: new Int32Array(buffer, plan.leafRows, leaves * 2),
    unitHessian: isUnit(objective, shape),
    entries: Array.from({ length: threads }, (_, share) => {
      const at = plan.entries + share * entriesBytes;
      return { gradients: doubles(at, 256), hessians: doubles(at + 2048, 256), rows: new Int32Array(buffer, at + 4096, 256) };
    }),
  };
}

/** A feature's entries of the histogram at an address, in sums; they last until the thread's next call. */
export function unpacked({ kernels, plan, shape, entries }: Workspace, share: number, histogram: number, feature: number): Entries {
  const from = histogram + plan.entriesAt[feature]!;
  kernels.unpack(from, from + shape.codes[feature]! * entryBytes, plan.entries + share * entriesBytes);
  return entries[share]!;
}

export const histogramBytes = ({ plan }: Workspace): number => plan.entriesAt.at(-1)!;
export const histogramAt = (space: Workspace, slot: number): number => space.plan.histograms + slot * histogramBytes(space);
