import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openRunArchive, type RunArchive, type RunToArchive } from '../../registry/runs.ts';
import { openBlobs } from '../../stores/blobs.ts';
import { openFolderStore } from '../../stores/folder-store.ts';

let root: string;
let archive: RunArchive;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'perennial-runs-'));
  const store = await openFolderStore(join(root, 'store'));
  archive = openRunArchive(store, await openBlobs(store, join(root, 'cache')));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const history = (events: number): Uint8Array =>
  Buffer.from(JSON.stringify({ events: Array.from({ length: events }, (_, at) => ({ eventId: at + 1 })) }));
const toArchive = (runId: string, lastEvent: number, more: Partial<RunToArchive> = {}): RunToArchive => ({
  runId,
  workflowId: 'train/top-movies/all',
  workflowType: 'train',
  lastEvent,
  history: history(lastEvent),
  outcome: { status: 'completed', result: { outcome: 'promoted' } },
  ...more,
});

describe('the archive of runs', () => {
  test('gives back the history, byte by byte', async () => {
    await archive.archive(toArchive('run-1', 17));
    const run = await archive.run('run-1');
    expect(run).toMatchObject({ workflowId: 'train/top-movies/all', lastEvent: 17, outcome: { status: 'completed' } });
    expect(Buffer.from(await archive.history(run))).toEqual(history(17));
  });

  test('lets the longest history count, in whatever order they came', async () => {
    await archive.archive(toArchive('run-1', 11, { outcome: { status: 'running' } }));
    await archive.archive(toArchive('run-1', 117));
    await archive.archive(toArchive('run-1', 20, { outcome: { status: 'failed', error: { code: 'ContractBroken', message: 'two rows' } } }));
    expect(await archive.run('run-1')).toMatchObject({ lastEvent: 117, outcome: { status: 'completed' } });
    expect(await archive.runs()).toHaveLength(1);
  });

  test('is not changed by archiving the same events again', async () => {
    const first = await archive.archive(toArchive('run-1', 11));
    expect(await archive.archive(toArchive('run-1', 11, { outcome: { status: 'failed' } }))).toEqual(first);
  });

  test('lists every run, the newest first', async () => {
    for (const [runId, startedAt] of [
      ['a', '2026-11-02'],
      ['b', '2026-11-03'],
      ['c', '2026-11-01'],
    ] as const) {
      await archive.archive(toArchive(runId, 5, { startedAt }));
    }
    expect((await archive.runs()).map((it) => it.runId)).toEqual(['b', 'a', 'c']);
  });

  test('lists every run but one whose record is damaged, goes by its older record where there is one, and mends it when archived again', async () => {
    const damage = async (runId: string, lastEvent: number): Promise<void> => {
      const path = join(root, `store/runs/${runId}/history-${String(lastEvent).padStart(12, '0')}.json`);
      await chmod(path, 0o644);
      await writeFile(path, '{"runId":');
    };
    for (const [runId, lastEvent] of [
      ['whole', 5],
      ['half', 5],
      ['half', 9],
      ['lost', 5],
    ] as const) {
      await archive.archive(toArchive(runId, lastEvent));
    }
    await damage('half', 9);
    await damage('lost', 5);
    expect((await archive.runs()).map(({ runId, lastEvent }) => `${runId} ${lastEvent}`).toSorted()).toEqual(['half 5', 'whole 5']);
    await expect(archive.run('lost')).rejects.toMatchObject({ code: 'ArtifactCorrupt', message: expect.stringContaining('runs/lost/history-') });
    await archive.archive(toArchive('lost', 5));
    expect((await archive.run('lost')).lastEvent).toBe(5);
    expect(await archive.runs()).toHaveLength(3);
  });

  test('keeps a history of 20 MB, and says which run it does not know', async () => {
    const large = Buffer.alloc(20 << 20, ' ');
    await archive.archive(toArchive('run-1', 50_000, { history: large }));
    expect((await archive.history(await archive.run('run-1'))).length).toBe(large.length);
    await expect(archive.run('absent')).rejects.toMatchObject({ code: 'RunUnknown', message: expect.stringContaining('absent') });
  });
});
