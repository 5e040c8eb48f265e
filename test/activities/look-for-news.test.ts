import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { lookForNews } from '../../activities/look-for-news.ts';
import type { Ports } from '../../activities/ports.ts';
import { defineModel } from '../../core/model-spec.ts';
import type { RegisteredVersion } from '../../core/registry-entry.ts';
import { keepSpec } from '../../registry/apply-spec.ts';
import { openRegistry } from '../../registry/registry.ts';
import { openBlobs } from '../../stores/blobs.ts';
import { openFolderStore } from '../../stores/folder-store.ts';
import { registered } from '../registry/samples.ts';

const spec = defineModel({
  format: 1,
  name: 'films',
  task: 'recommendation',
  // No source: none can have changed.
  sources: {},
  rows: { sql: 'SELECT 1', key: [] },
  target: { user: 'u', item: 'i', relevantFrom: 4 } as never,
  split: { by: 'rolling-origin', from: '2024-01-01', every: '30d', horizon: '30d' },
  train: [{ trainer: 'popularity' }],
});

let root: string;
let ports: Ports;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'perennial-news-'));
  const store = await openFolderStore(join(root, 'store'));
  const blobs = await openBlobs(store, join(root, 'cache'));
  ports = { store, blobs, registry: openRegistry(store, blobs) } as Partial<Ports> as Ports;
});
afterEach(() => rm(root, { recursive: true, force: true }));

const register = async (name: string, more: Partial<RegisteredVersion> = {}) =>
  ports.registry.register(
    { model: 'films', segment: 'all' },
    { ...registered(name), spec: await keepSpec(ports.blobs, spec), ...more },
    { by: 'test', run: null },
  );
const news = () => lookForNews(ports)({ spec, segment: 'all' }, undefined as never);

test('a version of a window that somebody asked for hides no news', async () => {
  await register('backfilled', { asked: { from: '2023-01-01', to: '2023-02-01' } });
  expect(await news()).toEqual({ isNew: true, reason: 'films, all has no version of its own window yet' });
  await register('nightly');
  await register('backfilled again', { asked: { from: '2022-01-01', to: '2022-02-01' } });
  expect(await news()).toEqual({ isNew: false, reason: 'All 0 sources are as v2 saw them.' });
});
