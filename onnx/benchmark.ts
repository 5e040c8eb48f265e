import { MlError } from '../core/errors.ts';
import { quantile } from '../core/bootstrap.ts';
import type { Tensors } from '../core/onnx-tensor.ts';
import type { Session } from './session.ts';

/** The latency of one request at a time on this machine at this moment: kept beside a model, never in a keyed artifact. */
export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests that the figures rest on. */
  readonly requests: number;
}

export interface BenchmarkOptions {
  readonly signal?: AbortSignal;
  /** Requests before the clock starts, while caches fill and code is compiled. Default 50. */
  readonly warmUp?: number;
  /** Rounds, of which the quietest counts: whatever else the machine does only ever adds time. Default 3. */
  readonly rounds?: number;
  /** Requests of a round. Default 200: the 99th percentile then rests on two of them. */
  readonly requests?: number;
}

/**
 * Times a model on requests, which are repeated in their order as often as needed. The figures are those of the round with the lowest 99th
 * percentile.
 *
 * @throws {MlError} `DatasetInvalid` without a request; `Cancelled`.
 */
export async function benchmark(
  session: Session,
  feeds: readonly Tensors[],
  { signal, warmUp = 50, rounds = 3, requests = 200 }: BenchmarkOptions = {},
): Promise<Latency> {
  if (feeds.length === 0) throw new MlError('DatasetInvalid', 'a benchmark needs at least one request: hold some rows out');
  let next = 0;
  async function time(count: number): Promise<Float64Array> {
    const timesMs = new Float64Array(count);
    for (let at = 0; at < count; at++) {
      if (signal?.aborted) throw new MlError('Cancelled', 'the benchmark was cancelled');
      const startMs = performance.now();
      await session.run(feeds[next++ % feeds.length]!);
      timesMs[at] = performance.now() - startMs;
    }
    return timesMs.sort();
  }

  await time(warmUp);
  let quietest: Latency = { p50Ms: Infinity, p99Ms: Infinity, requests };
  for (let round = 0; round < rounds; round++) {
    const timesMs = await time(requests);
    const latency = { p50Ms: quantile(timesMs, 0.5), p99Ms: quantile(timesMs, 0.99), requests };
    if (latency.p99Ms < quietest.p99Ms) quietest = latency;
  }
  return quietest;
}
