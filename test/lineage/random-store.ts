import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Artifact, ArtifactKind, Run } from '../../core/artifact.ts';
import { openLineageIndex } from '../../lineage/lineage-index.ts';
import { openRegistry } from '../../registry/registry.ts';
import { openRunArchive } from '../../registry/runs.ts';
import { openArtifactStore } from '../../stores/artifact-store.ts';
import { openBlobs } from '../../stores/blobs.ts';
import { sha256 } from '../../stores/digest.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { registered, verdict } from '../registry/samples.ts';

/** Everything that lineage is read from and written to, on any store. */
export async function openStoreWithLineage<S extends ObjectStore>(store: S) {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-lineage-'));
  const blobs = await openBlobs(store, join(folder, 'cache'));
  const registry = openRegistry(store, blobs);
  return {
    ...{ store, blobs, registry, folder },
    artifacts: openArtifactStore(store, blobs),
    archive: openRunArchive(store, blobs),
    index: openLineageIndex({ store, blobs, registry, folder }),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

export type StoreWithLineage<S extends ObjectStore = ObjectStore> = Awaited<ReturnType<typeof openStoreWithLineage<S>>>;

const steps = [
  ['buildRows', 'rows'],
  ['trainModel', 'model'],
  ['predictModel', 'predictions'],
  ['composePackage', 'package'],
] as const;

/** Makes runs whose steps take what earlier steps of any run made, meet each other's cache, and register, judge and promote now and then. */
export async function growRandomly(at: StoreWithLineage, random: () => number, runs: readonly number[]): Promise<void> {
  const below = (n: number): number => Math.floor(random() * n);
  const known: Artifact[] = [];
  const make = async (run: Run, step: string, kind: ArtifactKind, content: string): Promise<Artifact> => {
    const chosen = Array.from({ length: Math.min(known.length, 1 + below(3)) }, () => known[below(known.length)]!);
    const inputs = Object.fromEntries(chosen.map((artifact, index) => [`input${index}`, artifact.sha256]));
    const provenance = {
      step,
      code: 'c0de',
      inputs: { ...inputs, outside: sha256(`outside ${below(5)}`) },
      parameters: { try: below(3) },
      environment: {},
    };
    const found = await at.artifacts.find(kind, provenance, run);
    if (found !== undefined) return found;
    const path = join(at.folder, 'made');
    await writeFile(path, content);
    const made = await at.artifacts.commit(kind, provenance, path, { mediaType: 'text/plain', by: run, notes: { file: sha256(`file ${below(6)}`) } });
    known.push(made);
    return made;
  };
  for (const number of runs) {
    const run = { runId: `run-${number}`, workflowId: `train/model-${number % 3}/all`, workflowType: 'train' };
    const author = { by: 'test', run };
    const place = { model: `model-${number % 3}`, segment: ['all', 'month=10', 'a-b'][below(3)]! };
    const made: Artifact[] = [];
    for (let each = 0; each < 5; each++) {
      const [step, kind] = steps[below(3)]!;
      // Few contents: two runs often make the same bytes.
      made.push(await make(run, step, kind, `content ${below(40)}`));
    }
    const files = made.map(({ sha256: digest, bytes }, index) => ({
      path: `part-${index}`,
      role: 'model',
      sha256: digest,
      bytes,
      mediaType: 'text/plain',
    }));
    const pack = (await make(run, 'composePackage', 'package', JSON.stringify({ format: 1, files }))) as Artifact<'package'>;
    const { version } = await at.registry.register(
      place,
      { ...registered(`version ${below(4)}`, pack), seen: { rows: made[0] as Artifact<'rows'>, splits: [] } },
      author,
    );
    if (below(2) === 0) {
      const { evaluation, report, metrics, baselines } = registered(`again ${below(4)}`);
      await at.registry.judged(
        place,
        { version, verdict: verdict('better'), against: null, exam: { evaluation, report, metrics, baselines } },
        author,
      );
    }
    const { champion } = await at.registry.state(place);
    if (below(3) > 0) await at.registry.promote(place, { version, expect: champion, verdict: 'better', reason: 'it is better' }, author);
    const outcome = { status: 'completed' } as const;
    await at.archive.archive({ ...run, outcome, startedAt: new Date(0).toISOString(), lastEvent: 10, history: Buffer.from('{"events":[]}') });
  }
}
