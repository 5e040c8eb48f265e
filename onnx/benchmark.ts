import { MlError } from '../core/errors.ts';
import { quantile } from '../core/bootstrap.ts';
import type { Tensors } from '../core/onnx-tensor.ts';
import type { Session } from './session.ts';

/** The latency of one request at a time on this machine at this moment: kept beside a model, never in a keyed artifact. */
export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests that were timed. */
  readonly requests: number;
}

export interface BenchmarkOptions {
  readonly signal?: AbortSignal;
  /** Requests before the clock starts, while caches fill and code is compiled. Default 50. */
  readonly warmUp?: number;
  /** Requests that are timed. Default 500: the 99th percentile then rests on five of them. */
  readonly requests?: number;
}

/**
 * Times a model on requests, which are repeated in their order as often as needed.
 *
 * @throws {MlError} `DatasetInvalid` without a request; `Cancelled`.
 */
export async function benchmark(
  session: Session,
  feeds: readonly Tensors[],
  { signal, warmUp = 50, requests = 500 }: BenchmarkOptions = {},
): Promise<Latency> {
  if (feeds.length === 0) throw new MlError('DatasetInvalid', 'a benchmark needs at least one request: hold some rows out');
  const timesMs = new Float64Array(requests);
  for (let at = -warmUp; at < requests; at++) {
    if (signal?.aborted) throw new MlError('Cancelled', 'the benchmark was cancelled');
    const startMs = performance.now();
    await session.run(feeds[(at + warmUp) % feeds.length]!);
    if (at >= 0) timesMs[at] = performance.now() - startMs;
  }
  timesMs.sort();
  return { p50Ms: quantile(timesMs, 0.5), p99Ms: quantile(timesMs, 0.99), requests };
}
