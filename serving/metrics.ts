import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { VersionIdentity } from './served-model.ts';

/** What Prometheus scrapes from one prediction server. Each server has its own registry, so that two in one process do not mix. */
export class ServingMetrics {
  readonly #registry = new Registry();
  readonly #requests = new Counter({
    name: 'perennial_requests_total',
    help: 'Answered requests by model, segment and version that answered, and HTTP status.',
    labelNames: ['model', 'segment', 'version', 'status'],
    registers: [this.#registry],
  });
  readonly #seconds = new Histogram({
    name: 'perennial_request_seconds',
    help: 'Time from a request to its answer.',
    labelNames: ['model'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [this.#registry],
  });
  readonly #active = new Gauge({
    name: 'perennial_active_version',
    help: 'The number of the version that answers.',
    labelNames: ['model', 'segment'],
    registers: [this.#registry],
  });
  readonly #swaps = new Counter({
    name: 'perennial_swaps_total',
    help: 'Versions that began to answer.',
    labelNames: ['model', 'segment'],
    registers: [this.#registry],
  });
  readonly #refused = new Counter({
    name: 'perennial_refused_versions_total',
    help: 'Attempts to serve a version that failed its checks, by error code.',
    labelNames: ['model', 'segment', 'code'],
    registers: [this.#registry],
  });
  readonly #followFailures = new Counter({
    name: 'perennial_follow_failures_total',
    help: 'Looks at the registry that failed.',
    registers: [this.#registry],
  });

  readonly #answersDropped = new Counter({
    name: 'perennial_answers_dropped_total',
    help: 'Answers of which it was not written down which version gave them.',
    registers: [this.#registry],
  });
  readonly #answersDelayed = new Counter({
    name: 'perennial_answer_log_failures_total',
    help: 'Attempts to write down which versions answered that the store refused.',
    registers: [this.#registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** `by` is absent where no version answered: an unknown name in a request must not become a label. */
  requested(by: VersionIdentity | undefined, status: number, seconds: number): void {
    const { model, segment, version } = by ?? { model: '', segment: '', version: '' };
    this.#requests.inc({ model, segment, version, status });
    this.#seconds.observe({ model }, seconds);
  }

  swapped({ model, segment, version }: VersionIdentity): void {
    this.#active.set({ model, segment }, version);
    this.#swaps.inc({ model, segment });
  }

  withdrawn(model: string, segment: string): void {
    this.#active.remove({ model, segment });
  }

  refused(model: string, segment: string, code: string): void {
    this.#refused.inc({ model, segment, code });
  }

  followFailed(): void {
    this.#followFailures.inc();
  }

  answersDropped(answers: number): void {
    this.#answersDropped.inc(answers);
  }

  answersDelayed(): void {
    this.#answersDelayed.inc();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
