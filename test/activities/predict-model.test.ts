import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Ports } from '../../activities/ports.ts';
import { predictModel } from '../../activities/predict-model.ts';
import type { ModelRecord } from '../../activities/train-model.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import { openArtifactStore } from '../../stores/artifact-store.ts';
import { type Blobs, openBlobs } from '../../stores/blobs.ts';
import { openFolderStore } from '../../stores/folder-store.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { contextOf, rejection } from '../data/scratch.ts';

let root: string;
let store: ObjectStore;
let blobs: Blobs;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'perennial-predict-'));
  store = await openFolderStore(join(root, 'store'));
  blobs = await openBlobs(store, join(root, 'cache'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const sat = new Error('it sat the exam');

/** Lets a model that was fitted on these parts of these rows sit the exam of the rows. */
async function sitting(parts: NonNullable<ModelRecord['fittedOn']>['parts'], of = 'rows'): Promise<unknown> {
  const put = async (text: string) => ({ mediaType: 'application/json', ...(await blobs.putBytes(Buffer.from(text))) });
  const [rows, split, preprocessor, onnx, others] = await Promise.all([put('rows'), put('split'), put('encoding'), put('onnx'), put('others')]);
  const fittedOn = { rows: (of === 'rows' ? rows : others).sha256, parts };
  const model = await put(JSON.stringify({ format: 1, onnx, fittedOn, facts: {} } satisfies Partial<ModelRecord>));
  const ports = {
    ...{ store, blobs, artifacts: openArtifactStore(store, blobs), codeDigest: (module: string) => module },
    compute: { run: () => Promise.reject(sat) },
  } as Partial<Ports> as Ports;
  const spec = { task: 'regression', target: { column: 'y' }, rows: { sql: '', key: ['id'] }, split: { by: 'share' } } as unknown as ModelSpec;
  const input = { spec, rows, split, preprocessor, model, known: ['train', 'validation'], fold: 'all', contender: 'challenger' };
  const context = { ...contextOf(), heartbeat: () => {}, run: { workflowId: 'w', runId: 'r' } };
  return predictModel(ports)(input as never, context as never);
}

test.each([[['train', 'validation', 'test'] as const], ['all' as const]])(
  'a model that was fitted on %s of the rows of an exam does not sit it',
  async (parts) => {
    const { message, facts } = await rejection(sitting(parts), 'LeakFound');
    expect(message).toContain('test rows in training: "challenger" was fitted on the test rows of this very exam');
    expect(facts).toMatchObject({ reason: 'test-rows-in-training', contender: 'challenger', parts });
  },
);

test('one that was fitted on training rows sits it, and so does one that knows all of other rows', async () => {
  await expect(sitting(['train', 'validation'])).rejects.toBe(sat);
  await expect(sitting('all', 'other rows')).rejects.toBe(sat);
});
