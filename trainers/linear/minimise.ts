import type { TrainingContext } from '../../core/trainer.ts';
import type { Breathe } from '../linear-algebra.ts';

/** A convex function to minimise. */
export interface Objective {
  readonly size: number;
  /** The value at `weights`; its gradient into `gradient`. */
  evaluate(weights: Float64Array, gradient: Float64Array): Promise<number>;
  /** Makes M, which is about the Hessian at `weights`. Directions and distances are measured by it. */
  measureAt(weights: Float64Array): Promise<void>;
  /** Turns `vector` into M⁻¹·vector. */
  precondition(vector: Float64Array): void;
}

export interface Minimum {
  readonly weights: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** Whether the gradient became as small as asked for. */
  readonly converged: boolean;
}

/** Pairs of a step and the change of the gradient along it that are remembered. */
const memory = 10;

/** M is made anew after so many iterations: most fits have ended by then, and for others it has become a poor measure. */
const measureEvery = 20;
const mostIterations = 1000;

/** The length of a gradient, measured by M⁻¹, that is taken for zero; and of one that has everything before it. */
const tolerance = 1e-8;
const farAway = 1e3;

/** Where a search stands; all in one array, so that it can be saved. */
class Position {
  readonly all: Float64Array;
  readonly weights: Float64Array;
  readonly gradient: Float64Array;
  /** Where M was made. */
  readonly measuredAt: Float64Array;
  private readonly pairs: Float64Array;
  private readonly size: number;

  constructor(size: number) {
    this.size = size;
    this.all = new Float64Array(2 + (3 + 2 * memory) * size);
    this.weights = this.all.subarray(2, 2 + size);
    this.gradient = this.all.subarray(2 + size, 2 + 2 * size);
    this.measuredAt = this.all.subarray(2 + 2 * size, 2 + 3 * size);
    this.pairs = this.all.subarray(2 + 3 * size);
  }

  get iterations(): number {
    return this.all[0]!;
  }

  get value(): number {
    return this.all[1]!;
  }

  set value(value: number) {
    this.all[1] = value;
  }

  /** The pair that was made `ago` iterations ago, 1 for the last. */
  pair(ago: number): { readonly step: Float64Array; readonly change: Float64Array } {
    const at = ((this.iterations - ago) % memory) * 2 * this.size;
    return { step: this.pairs.subarray(at, at + this.size), change: this.pairs.subarray(at + this.size, at + 2 * this.size) };
  }

  /** Pairs since M was made. */
  get remembered(): number {
    return Math.min(this.iterations % measureEvery, memory);
  }

  moveTo({ weights, gradient, value }: Point): void {
    this.all[0]!++;
    const { step, change } = this.pair(1);
    for (let i = 0; i < this.size; i++) {
      step[i] = weights[i]! - this.weights[i]!;
      change[i] = gradient[i]! - this.gradient[i]!;
    }
    this.weights.set(weights);
    this.gradient.set(gradient);
    this.value = value;
    if (this.iterations % measureEvery === 0) this.measuredAt.set(weights);
  }
}

interface Point {
  readonly weights: Float64Array;
  readonly gradient: Float64Array;
  readonly value: number;
}

/**
 * L-BFGS (Nocedal and Wright, "Numerical Optimization", 2nd edition, algorithm 7.4) from zero, or from where an earlier attempt was. The Hessian that
 * it begins with is M, so that only what M does not know has to be learned.
 */
export async function minimise(objective: Objective, { checkpoint }: TrainingContext, breathe: Breathe): Promise<Minimum> {
  const position = new Position(objective.size);
  const saved = await checkpoint.load();
  if (saved) position.all.set(new Float64Array(saved.slice().buffer));
  else position.value = await objective.evaluate(position.weights, position.gradient);
  await objective.measureAt(position.measuredAt);
  let length = lengthOf(position.gradient, objective);
  while (length > tolerance && position.iterations < mostIterations) {
    const next = await search(objective, position, directionFrom(position, objective));
    // Rounding errors are all that is left.
    if (next === undefined) break;
    position.moveTo(next);
    await checkpoint.save(new Uint8Array(position.all.slice().buffer));
    if (position.remembered === 0) await objective.measureAt(position.measuredAt);
    length = lengthOf(position.gradient, objective);
    await breathe(Math.min(Math.max(Math.log(length / farAway) / Math.log(tolerance / farAway), 0), 1));
  }
  const { weights, value, iterations } = position;
  return { weights, value, iterations, converged: length <= tolerance };
}

function lengthOf(gradient: Float64Array, { precondition }: Objective): number {
  const scaled = gradient.slice();
  precondition(scaled);
  return Math.sqrt(product(gradient, scaled));
}

/** The direction −H·gradient, for H the inverse Hessian that the pairs tell (algorithm 7.4 with its H₀ = γM⁻¹). */
function directionFrom(position: Position, { precondition }: Objective): Float64Array {
  const direction = position.gradient.map((slope) => -slope);
  const shares: number[] = [];
  for (let ago = 1; ago <= position.remembered; ago++) {
    const { step, change } = position.pair(ago);
    const share = product(step, direction) / product(step, change);
    add(direction, -share, change);
    shares.push(share);
  }
  precondition(direction);
  if (position.remembered > 0) {
    const { step, change } = position.pair(1);
    const scaled = change.slice();
    precondition(scaled);
    const scale = product(step, change) / product(change, scaled);
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  }
  for (let ago = position.remembered; ago >= 1; ago--) {
    const { step, change } = position.pair(ago);
    add(direction, shares[ago - 1]! - product(change, direction) / product(step, change), step);
  }
  return direction;
}

/** A value that rounding alone may add. */
const noise = 1e-10;

/**
 * A point along `direction` that is lower, and flatter: Wolfe's conditions; where values differ by rounding only, their form in slopes (Hager and
 * Zhang 2005). By doubling, then halving.
 */
async function search(objective: Objective, from: Position, direction: Float64Array): Promise<Point | undefined> {
  const slope = product(from.gradient, direction);
  if (!(slope < 0)) return undefined;
  let [low, high, length] = [0, Infinity, 1];
  for (let tries = 0; tries < 60; tries++) {
    const weights = from.weights.slice();
    add(weights, length, direction);
    const gradient = new Float64Array(objective.size);
    const value = await objective.evaluate(weights, gradient);
    const slopeThere = product(gradient, direction);
    const lower = value <= from.value + 1e-4 * length * slope;
    const asLow = value <= from.value + noise * Math.abs(from.value) && slopeThere <= -0.8 * slope;
    if (!lower && !asLow) high = length;
    else if (slopeThere < 0.9 * slope) low = length;
    else return { weights, gradient, value };
    length = high === Infinity ? 2 * length : (low + high) / 2;
  }
  return undefined;
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function add(a: Float64Array, times: number, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) a[i]! += times * b[i]!;
}
