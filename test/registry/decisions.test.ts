import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { aliasesAt, aliasHistory } from '../../core/alias-history.ts';
import { rulingOn, type Statement } from '../../core/decision.ts';
import { fold, reigns, subjectOf } from '../../core/registry.ts';
import type { Command, Entry, Ruling } from '../../core/registry-entry.ts';
import { openRegistry, type Registry } from '../../registry/registry.ts';
import { openBlobs } from '../../stores/blobs.ts';
import { openFolderStore } from '../../stores/folder-store.ts';
import { registered, verdict } from './samples.ts';

let root: string;
let open: () => Registry;
let registry: Registry;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'perennial-decisions-'));
  const store = await openFolderStore(join(root, 'store'));
  const blobs = await openBlobs(store, join(root, 'cache'));
  open = () => openRegistry(store, blobs);
  registry = open();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const place = { model: 'movie-recommender', segment: 'all' };
const author = (by: string, runId = 'run-1') => ({ by, run: { workflowId: 'decide/movie-recommender/all/v1', runId } });
const approval = { role: 'approver', within: '3d' };

async function challenger(name = 'better' as const): Promise<Ruling> {
  const { versions, champion } = await registry.state(place);
  const { version } = await registry.register(place, registered(`v${versions.length + 1}`), author('train'));
  await registry.judged(place, { version, verdict: verdict(name), against: champion, approval }, author('train'));
  const state = await registry.state(place);
  return { ...rulingOn(subjectOf(state, state.versions.at(-1)!, champion)), decision: 'approved', reason: 'looks right', proof: { how: 'claimed' } };
}

const promotion = (version: number, expect: number | null) => ({ version, expect, verdict: 'better', reason: 'it is better' }) as const;

describe('a decision', () => {
  test('takes a version out of its wait, and is told with it', async () => {
    const ruling = await challenger();
    expect((await registry.state(place)).versions[0]).toMatchObject({
      status: 'awaiting-decision',
      approval: { ...approval, since: expect.any(String) },
    });
    const entry = await registry.decide(place, ruling, author('ada'));
    expect((await registry.state(place)).versions[0]).toMatchObject({
      status: 'registered',
      ruling: { decision: 'approved', by: 'ada', entry: entry.n, at: entry.at, proof: { how: 'claimed' } },
    });
  });

  test('is one entry, though its writer tries again', async () => {
    const ruling = await challenger();
    const first = await registry.decide(place, ruling, author('ada'));
    expect(await open().decide(place, ruling, author('ada', 'another run'))).toEqual(first);
  });

  test('is made once by twelve who race for it, and the others hear who was first', async () => {
    const ruling = await challenger();
    const racers = Array.from({ length: 12 }, (_, at) =>
      open().decide(place, { ...ruling, decision: at % 2 === 0 ? 'approved' : 'rejected' }, author(`approver ${at}`, `run-${at}`)),
    );
    const outcomes = await Promise.allSettled(racers);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const { by } = (await registry.state(place)).versions[0]!.ruling!;
    for (const it of outcomes) if (it.status === 'rejected') expect(it.reason).toMatchObject({ code: 'DecisionTaken', facts: { by } });
  });

  test.each([
    ['another package', { package: 'f'.repeat(64) }],
    ['another evaluation', { evaluation: 'f'.repeat(64) }],
    ['another champion', { expect: 4 }],
  ])('about %s is refused', async (_, change) => {
    const ruling = await challenger();
    await expect(registry.decide(place, { ...ruling, ...change }, author('ada'))).rejects.toMatchObject({ code: 'ApprovalRefused' });
  });

  test('is what a promotion waits for, where one is asked for', async () => {
    const ruling = await challenger();
    await expect(registry.promote(place, promotion(1, null), author('gate'))).rejects.toMatchObject({ code: 'ApprovalRefused' });
    await registry.decide(place, { ...ruling, decision: 'rejected' }, author('ada'));
    await expect(registry.promote(place, promotion(1, null), author('gate'))).rejects.toMatchObject({ code: 'ApprovalRefused' });
    // A person may all the same, and says so with a name.
    await registry.promote(place, { ...promotion(1, null), proof: { how: 'claimed' } }, author('ben'));
    expect((await registry.state(place)).champion).toBe(1);
  });
});

describe('a rollback', () => {
  beforeEach(async () => {
    for (const version of [1, 2, 3]) {
      await registry.register(place, registered(`v${version}`), author('train'));
      if (version < 3) await registry.promote(place, promotion(version, version === 1 ? null : version - 1), author('gate', `run ${version}`));
    }
  });
  const rollback = { from: 2, to: 1, reason: 'complaints' };

  test('brings a former champion back, and what comes is measured against it', async () => {
    await registry.rollBack(place, rollback, author('ada'));
    expect(await registry.state(place)).toMatchObject({
      champion: 1,
      previousChampion: 2,
      anchor: 1,
      versions: [{ status: 'champion' }, { status: 'previous' }, {}],
    });
  });

  test('is one entry, though its writer tries again; a second rollback is another', async () => {
    const first = await registry.rollBack(place, rollback, author('ada'));
    expect(await registry.rollBack(place, rollback, author('ada'))).toEqual(first);
    expect((await registry.rollBack(place, { ...rollback, from: 1, to: 2 }, author('ada', 'run-2'))).n).toBe(first.n + 1);
  });

  test.each([
    ['a champion that is another by now', { ...rollback, from: 7 }, 'ChampionChanged'],
    ['a version that was never champion', { ...rollback, to: 3 }, 'RequestInvalid'],
    ['the champion itself', { ...rollback, to: 2 }, 'RequestInvalid'],
    ['a version that is unknown', { ...rollback, to: 9 }, 'VersionUnknown'],
  ])('of %s is refused', async (_, change, code) => {
    await expect(registry.rollBack(place, change, author('ada'))).rejects.toMatchObject({ code });
  });

  describe('that somebody signed', () => {
    /** Signed after what the log says now; the signature itself is checked before it comes here. */
    async function signed({ from, to } = rollback, change: Partial<Statement> = {}) {
      const state = await registry.state(place);
      const statement: Statement = {
        ...{ format: 'perennial-decision/1', decision: 'rolledBack', by: 'ada', reason: 'complaints', at: '2026-11-03T14:03:00Z' },
        ...subjectOf(state, state.versions[to - 1]!, from),
        ...change,
      };
      return { from, to, reason: 'complaints', proof: { how: 'signature', key: 'k', signature: 's', statement } } as const;
    }

    test('counts once, whoever sends it again', async () => {
      const statement = await signed();
      const first = await registry.rollBack(place, statement, author('ada'));
      await registry.promote(place, { ...promotion(2, 1), proof: { how: 'claimed' } }, author('ben', 'run-9'));
      expect(await registry.rollBack(place, statement, author('ada', 'run of a stranger'))).toEqual(first);
      expect((await registry.state(place)).champion).toBe(2);
    });

    test('and that failed does not lie in wait until its champion comes back', async () => {
      const tooLate = await signed();
      await registry.promote(place, promotion(3, 2), author('gate', 'run 3'));
      await expect(registry.rollBack(place, tooLate, author('ada'))).rejects.toMatchObject({ code: 'ChampionChanged' });
      await registry.rollBack(place, { from: 3, to: 2, reason: 'complaints' }, author('ben', 'run-9'));
      await expect(registry.rollBack(place, tooLate, author('stranger'))).rejects.toMatchObject({
        code: 'ApprovalRefused',
        message: expect.stringContaining('came after it was said') as unknown,
      });
      expect((await registry.state(place)).champion).toBe(2);
    });

    test('still counts when the log went on about other versions', async () => {
      const statement = await signed();
      await registry.register(place, registered('v4'), author('train'));
      await registry.judged(place, { version: 4, verdict: verdict('worse'), against: 2 }, author('train'));
      await registry.rollBack(place, statement, author('ada'));
      expect((await registry.state(place)).champion).toBe(1);
    });

    test('in another store, whose versions are the same, does not count here', async () => {
      const elsewhere = await signed(rollback, { head: { n: 5, nonce: 'of another log' } });
      await expect(registry.rollBack(place, elsewhere, author('ada'))).rejects.toMatchObject({
        code: 'ApprovalRefused',
        message: expect.stringContaining('another log') as unknown,
      });
    });
  });

  test('is a reign like any other', async () => {
    await registry.rollBack(place, rollback, author('ada'));
    expect(reigns(await registry.entries(place)).map(({ version, verdict: how }) => [version, how])).toEqual([
      [1, 'better'],
      [2, 'better'],
      [1, 'rolled-back'],
    ]);
  });
});

describe('the history of aliases', () => {
  const pack = registered('x');
  const log = (...commands: readonly Command[]): Entry[] =>
    commands.map((command, at) => ({
      n: at + 1,
      previous: null,
      command,
      at: `2026-11-0${at + 1}T12:00:00.000Z`,
      by: `author ${at + 1}`,
      run: null,
      nonce: '',
    }));
  const entries = log(
    { kind: 'registered', version: 1, registered: pack },
    { kind: 'promoted', version: 1, expect: null, verdict: 'better', reason: 'first' },
    { kind: 'registered', version: 2, registered: { ...pack, rows: 2 } },
    {
      kind: 'decided',
      version: 2,
      decision: 'approved',
      package: pack.package.sha256,
      evaluation: 'e',
      expect: 1,
      reason: 'fine',
      proof: { how: 'claimed' },
    },
    { kind: 'promoted', version: 2, expect: 1, verdict: 'not-worse', reason: 'approved by author 4: fine' },
    { kind: 'rolledBack', from: 2, to: 1, reason: 'complaints', proof: { how: 'claimed' } },
    { kind: 'retired', version: 2, reason: 'wrong prices' },
    { kind: 'retired', version: 1, reason: 'wrong prices too' },
  );
  const history = aliasHistory('m', 'all', entries);

  test('tells each change with who made it, why, and how that is known', () => {
    expect(
      history.map(({ entry, change, champion, previous, anchor, by, proof }) => [entry, change, champion, previous, anchor, by, proof?.how]),
    ).toEqual([
      [2, 'promoted', 1, null, 1, 'author 2', undefined],
      [5, 'promoted', 2, 1, 1, 'author 5', 'claimed'],
      [6, 'rolled-back', 1, 2, 1, 'author 6', 'claimed'],
      [8, 'retired', null, 2, 1, 'author 8', undefined],
    ]);
    expect(history.at(-1)!.champion).toBe(fold('m', 'all', entries).champion);
  });

  test.each([
    ['2026-11-02T11:59:59Z', undefined],
    ['2026-11-02T12:00:00Z', 1],
    ['2026-11-05T12:00:00Z', 2],
    ['2026-11-07T00:00:00Z', 1],
    ['2026-12-01T00:00:00Z', null],
  ])('knows who was champion at %s', (moment, champion) => {
    expect(aliasesAt(history, Date.parse(moment))?.champion).toBe(champion);
  });
});
