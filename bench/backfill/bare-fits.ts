import { join } from 'node:path';
import { trainerOf } from '../../activities/compute/fit.ts';
import { parseProjectSpec } from '../../activities/parse-spec.ts';
import { rowFiles } from '../../activities/row-files.ts';
import type { Examples } from '../../core/examples.ts';
import { candidates } from '../../core/grid.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import type { TrainingContext } from '../../core/trainer.ts';
import { loaderOf } from '../../data/loaders/index.ts';
import { openRegistry } from '../../registry/registry.ts';
import { openBlobs } from '../../stores/blobs.ts';
import { openStore } from '../../stores/open-store.ts';

/** Fits are measured so often; the median counts. */
const repetitions = 15;

export interface BareFits {
  /** Milliseconds of all fits of one training. */
  readonly ms: number;
  /** The same in milliseconds of a processor. */
  readonly cpuMs: number;
  /** What was fitted. */
  readonly fits: readonly string[];
}

/**
 * The trainers that one training of a segment calls, called alone: each candidate, then the best on all that is known before the exam, each baseline, and the best on all
 * rows. On the rows of the champion, in memory and encoded.
 */
export async function bareFits({
  folder,
  spec: given,
  segment,
}: {
  readonly folder: string;
  readonly spec: ModelSpec;
  readonly segment: string;
}): Promise<BareFits> {
  const spec = parseProjectSpec(given);
  const store = await openStore(join(folder, 'store'));
  const blobs = await openBlobs(store, join(folder, 'bare'));
  const registry = openRegistry(store, blobs);
  const { seen, package: pack } = (await registry.state({ model: spec.name, segment })).versions.at(-1)!;
  const {
    rows,
    splits: [split],
  } = seen;
  const manifest = await registry.manifest(pack);
  const encoding = await blobs.open(manifest.files.find(({ path }) => path === 'preprocessor.json')!.sha256);
  const load = async (parts: Parameters<typeof rowFiles>[1]['parts']) => {
    const files = await rowFiles({ blobs }, { spec, rows, split: split!, parts });
    return (await loaderOf(spec.task).load(files, encoding, null, { signal, scratch: join(folder, 'bare') })).known as Examples;
  };
  const [train, known, all] = [await load(['train']), await load(['train', 'validation']), await load('all')];
  const tried = candidates(spec.train);
  const [best] = tried;
  const baselines = spec.gate!.baselines!.map((trainer) => ({ trainer, parameters: {} }));
  const fits = [
    ...tried.map((candidate) => ({ ...candidate, of: train })),
    { ...best!, of: known },
    ...baselines.map((baseline) => ({ ...baseline, of: known })),
    { ...best!, of: all },
  ];
  const context: TrainingContext = {
    signal,
    seed: 42,
    progress: async () => {},
    checkpoint: { load: async () => undefined, save: async () => {} },
  };
  const times: { readonly ms: number; readonly cpuMs: number }[] = [];
  for (let i = 0; i < repetitions; i++) {
    const [began, used] = [performance.now(), process.cpuUsage()];
    for (const { trainer: name, parameters, of } of fits) {
      const trainer = trainerOf(name, spec.task);
      await trainer.fit(of as never, trainer.parameters.parse(parameters), context);
    }
    const { user, system } = process.cpuUsage(used);
    times.push({ ms: performance.now() - began, cpuMs: (user + system) / 1000 });
  }
  const median = (of: 'ms' | 'cpuMs') => times.map((each) => each[of]).toSorted((a, b) => a - b)[repetitions >> 1]!;
  return { ms: median('ms'), cpuMs: median('cpuMs'), fits: fits.map(({ trainer }) => trainer) };
}

const { signal } = new AbortController();
