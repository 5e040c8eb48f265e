import { appendFile, type FileHandle, mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { MlError } from '../../core/errors.ts';
import { type KeptRow, keptShapes } from '../../core/features/kept-rows.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import { KeptSource } from '../../serving/features/kept-source.ts';
import { FeatureStates } from '../../serving/features/feature-states.ts';
import type { FeatureSpec, ModelFeatures } from '../../serving/features/model-features.ts';
import type { RequestRow } from '../../serving/index.ts';
import { at, cards as spec, payment } from './cards.ts';

let folder: string;
let states: FeatureStates;
let crashed: FeatureStates[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-features-'));
  states = new FeatureStates({ folder });
});
afterEach(async () => {
  for (const each of [...crashed, states]) await each.close();
  crashed = [];
  await rm(folder, { recursive: true, force: true });
});

/** As after a crash: nothing is closed, and what was confirmed is on disk. */
async function reopened(from: FeatureSpec = spec, compactAfterBytes?: number): Promise<ModelFeatures> {
  await rm(join(folder, '.lock'), { force: true });
  crashed.push(states);
  states = new FeatureStates({ folder, onFailure: (error) => expect(error).toBeUndefined(), ...(compactAfterBytes && { compactAfterBytes }) });
  return (await states.open(from))!;
}

const asked = (hour: number, more: RequestRow = {}): RequestRow => ({ at: at(hour), card: 'c1', shop: 'corner', amount: 10, ...more });
const logs = async (): Promise<readonly string[]> => {
  const [state] = (await readdir(join(folder, 'cards'))).toSorted();
  return (await readdir(join(folder, 'cards', state!))).filter((name) => name !== 'shape.json').map((name) => join(folder, 'cards', state!, name));
};

describe('features of rows that are pushed', () => {
  test('are told of a row that is asked about, and are there after a crash, each row once however often it is pushed', async () => {
    let features = (await states.open(spec))!;
    expect(await states.push('cards', undefined, [payment(1, 0), payment(2, 1), payment(3, 1, { amount: null })])).toEqual({
      ...{ source: 'payments', added: 3, changed: 0, known: 0, late: 0 },
    });
    const told = { card_count_1h: 3, card_mean_1h: 10, card_count_1d: 4, card_mean_1d: 10, shop_frauds_2d: 0 };
    expect(features.ask([asked(1.5)])).toEqual([told]);
    features = await reopened();
    expect(features.ask([asked(1.5)])).toEqual([told]);
    expect(await states.push('cards', 'payments', [payment(2, 1), payment(4, 1)])).toMatchObject({ added: 1, known: 1 });
    expect(features.ask([asked(1.5)])[0]).toMatchObject({ card_count_1h: 4 });
  });

  test('take a label that comes later than its row, and keep it when the row comes again without', async () => {
    const features = (await states.open(spec))!;
    await states.push('cards', undefined, [payment(1, 0), payment(2, 0)]);
    expect(features.ask([asked(25)])[0]).toMatchObject({ shop_frauds_2d: 0 });
    expect(await states.push('cards', undefined, [payment(1, 0, { fraud: true })])).toMatchObject({ changed: 1 });
    expect(await states.push('cards', undefined, [payment(1, 0)])).toMatchObject({ known: 1 });
    expect((await reopened()).ask([asked(25)])[0]).toMatchObject({ shop_frauds_2d: 1 });
    expect(features.ask([asked(23)])[0]).toMatchObject({ shop_frauds_2d: 0 });
  });

  test('fill what a request leaves away, and nothing that it gives; keys go no further', async () => {
    const features = (await states.open(spec))!;
    await states.push('cards', undefined, [payment(1, 0)]);
    const given = { card_count_1h: 7, card_mean_1h: 7, card_count_1d: 7, card_mean_1d: 7, shop_frauds_2d: 7 };
    const [filled, some, whole] = features.fill([asked(0.5), asked(0.5, { card_count_1h: 7, card_mean_1h: null }), asked(0.5, given)]);
    const rest = { at: at(0.5), shop: 'corner', amount: 10 };
    expect(filled).toEqual({ ...rest, card_count_1h: 2, card_mean_1h: 10, card_count_1d: 2, card_mean_1d: 10, shop_frauds_2d: 0 });
    expect(some).toMatchObject({ card_count_1h: 7, card_mean_1h: 10, card_count_1d: 2 });
    expect(whole).toEqual({ ...rest, ...given });
    // Asked about again after it was pushed: with its key a row is not taken for two.
    expect(features.ask([asked(0, { id: '1' }), asked(0)])).toMatchObject([{ card_count_1h: 1 }, { card_count_1h: 2 }]);
  });

  test('are missing until a row was pushed', async () => {
    const features = (await states.open(spec))!;
    expect(() => features.ask([asked(0)])).toThrow(
      'no row of "payments" was pushed here, so nothing is known of a row\'s card or shop: push those of the last 3 days (perennial features push cards --file …)',
    );
    expect(await states.open({ ...spec, aggregates: {} })).toBeUndefined();
  });

  test('are kept by versions together whose windows are within the longest, and apart from others, which a push fills, too', async () => {
    await states.open(spec);
    await states.push('cards', undefined, [payment(1, 0)]);
    const shorter: ModelSpec['aggregates'] = { ...spec.aggregates, card: { ...spec.aggregates.card, over: ['30m', '2h', '1d'] } };
    expect((await states.open({ ...spec, aggregates: shorter }))!.ask([asked(1)])[0]).toMatchObject({ card_count_30m: 1, card_count_2h: 2 });
    const longer: ModelSpec['aggregates'] = { ...spec.aggregates, card: { ...spec.aggregates.card, over: ['3d'] } };
    const features = (await states.open({ ...spec, aggregates: longer }))!;
    expect(features.missing?.code).toBe('FeaturesMissing');
    await states.push('cards', undefined, [payment(1, 0), payment(2, 1)]);
    expect(features.ask([asked(2)])[0]).toMatchObject({ card_count_3d: 3 });
    // After a restart only the second is served: the first would miss what is pushed from now on.
    await reopened({ ...spec, aggregates: longer });
    await states.forgetClosed();
    expect((await states.open(spec))!.missing?.code).toBe('FeaturesMissing');
  });

  test('lose nothing when the log of another version is still being read while closed ones are forgotten', async () => {
    const longer = { ...spec, aggregates: { ...spec.aggregates, card: { ...spec.aggregates.card, over: ['3d'] } } } as const;
    await states.open(longer);
    const rows = Array.from({ length: 20_000 }, (_, id) => payment(id, id / 1000));
    await states.push('cards', undefined, rows);
    await reopened();
    const opening = states.open(longer);
    await states.forgetClosed();
    await opening;
    await states.push('cards', undefined, [payment(20_000, 20)]);
    expect((await reopened(longer)).ask([asked(21)])[0]).toMatchObject({ card_count_3d: 20_002 });
  });

  test('are in the logs of all versions when a push has failed and is pushed again, and it fails only when all have ended', async () => {
    const longer = { ...spec, aggregates: { ...spec.aggregates, card: { ...spec.aggregates.card, over: ['3d'] } } } as const;
    await states.open(spec);
    await states.open(longer);
    const { push } = KeptSource.prototype;
    let hasEnded = false;
    const fault = jest.spyOn(KeptSource.prototype, 'push');
    fault.mockRejectedValueOnce(new MlError('StoreFull', 'no room'));
    fault.mockImplementationOnce(async function (this: KeptSource, ...given) {
      const pushed = await push.apply(this, given);
      hasEnded = true;
      return pushed;
    });
    await expect(states.push('cards', undefined, [payment(1, 0)])).rejects.toThrow('no room');
    fault.mockRestore();
    expect(hasEnded).toBe(true);
    await states.push('cards', undefined, [payment(1, 0)]);
    const short = await reopened();
    expect(short.ask([asked(0.5)])[0]).toMatchObject({ card_count_1h: 2 });
    expect((await states.open(longer))!.ask([asked(0.5)])[0]).toMatchObject({ card_count_3d: 2 });
  });

  test('are kept of a model that is called as a lock may be', async () => {
    await states.open({ ...spec, name: 'lock' });
    expect(await states.push('lock', undefined, [payment(1, 0)])).toMatchObject({ added: 1 });
  });

  test('lose nothing when the log is written anew while rows come, and do not grow with what no window holds', async () => {
    let features = await reopened(spec, 2000);
    const rows = Array.from({ length: 3000 }, (_, id) => payment(id, id / 20, { fraud: id % 3 === 0 }));
    for (let from = 0; from < rows.length; from += 10) await states.push('cards', undefined, rows.slice(from, from + 10));
    const expected = features.ask([asked(150)]);
    expect(expected).toMatchObject([{ card_count_1h: 20, card_count_1d: 480, shop_frauds_2d: 320 }]);
    await states.close();
    states = new FeatureStates({ folder });
    features = (await states.open(spec))!;
    expect(features.ask([asked(150)])).toEqual(expected);
    const names = await logs();
    // A snapshot and a log; of six days four are kept.
    expect(names.map((name) => name.split('.').at(-1)).toSorted()).toEqual(['log', 'snapshot']);
    const written = await Promise.all(names.map((name) => readFile(name)));
    expect(written.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(rows.length * 2 * 50);
  });

  test('know after a restart of the log that was written anew how far rows reach, though the newest and the oldest were of nobody or are forgotten', async () => {
    const source = await KeptSource.open(folder, keptShapes(spec)[0]!, { onFailure: () => {}, compactAfterBytes: 100 });
    const row = (id: number, hour: number, card: string | null): KeptRow => ({
      key: String(id),
      timeMs: hour * 3_600_000,
      by: [card, null],
      values: [1, 1],
    });
    for (const [id, hour] of [1, 300, 301].entries()) await source.push([row(id, hour, 'c1')], Date.now());
    await source.push([row(4, 310, null)], Date.now());
    const { newestMs, oldestMs } = source.rows;
    expect([newestMs, oldestMs]).toEqual([310 * 3_600_000, 3_600_000]);
    await source.close();
    const again = await KeptSource.open(folder, keptShapes(spec)[0]!, { onFailure: () => {} });
    expect([again.rows.newestMs, again.rows.oldestMs]).toEqual([newestMs, oldestMs]);
    expect(again.rows.counts()).toEqual({ keys: 1, rows: 2 });
    await again.close();
  });

  test('go on in the next log when the last one cannot be closed', async () => {
    const source = async (onFailure: (error: unknown) => void): Promise<KeptSource> =>
      KeptSource.open(folder, keptShapes(spec)[0]!, { onFailure, compactAfterBytes: 10 });
    const rows = [1, 2, 3].map((id): KeptRow => ({ key: String(id), timeMs: id, by: ['c1', 'corner'], values: [1, 1] }));
    const failures: unknown[] = [];
    const first = await source((error) => failures.push(error));
    const probe = await open(join(folder, 'shape.json'));
    const handles = Object.getPrototypeOf(probe) as FileHandle;
    await probe.close();
    const { appendFile } = handles;
    const fault = jest.spyOn(handles, 'appendFile').mockImplementation(async function (this: FileHandle, ...given) {
      const { close } = this;
      this.close = async () => {
        await close.call(this);
        throw new Error('EIO');
      };
      return appendFile.apply(this, given);
    });
    await first.push(rows.slice(0, 1), Date.now());
    fault.mockRestore();
    for (const row of rows.slice(1)) await first.push([row], Date.now());
    expect(failures).toContainEqual(new Error('EIO'));
    await first.close();
    const again = await source((error) => expect(error).toBeUndefined());
    expect(again.rows.counts()).toEqual({ keys: 2, rows: 6 });
    await again.close();
  });

  test('are written anew however many rows one key has', async () => {
    const source = (onFailure: (error: unknown) => void): Promise<KeptSource> =>
      KeptSource.open(folder, keptShapes(spec)[0]!, { onFailure, compactAfterBytes: 10 });
    const failures: unknown[] = [];
    const first = await source((error) => failures.push(error));
    await first.push(
      Array.from({ length: 150_000 }, (_, id) => ({ key: String(id), timeMs: id, by: ['c1', null], values: [1, 1] })),
      Date.now(),
    );
    await first.close();
    const again = await source((error) => failures.push(error));
    expect(failures).toEqual([]);
    expect(again.rows.counts()).toEqual({ keys: 1, rows: 150_000 });
    await again.close();
    expect((await readdir(folder)).filter((name) => name.endsWith('.snapshot'))).toHaveLength(1);
  });

  test('drop a line that a crash cut off, which was never confirmed, and go on behind the last whole one', async () => {
    await states.open(spec);
    await states.push('cards', undefined, [payment(1, 0)]);
    await states.push('cards', undefined, [payment(2, 0)]);
    const [log] = await logs();
    const { length } = await readFile(log!);
    await truncate(log!, length - 5);
    expect((await reopened()).ask([asked(0.5)])[0]).toMatchObject({ card_count_1h: 2 });
    await states.push('cards', undefined, [payment(3, 0)]);
    expect((await reopened()).ask([asked(0.5)])[0]).toMatchObject({ card_count_1h: 3 });
    await appendFile(log!, Buffer.alloc(4096));
    expect((await reopened()).ask([asked(0.5)])[0]).toMatchObject({ card_count_1h: 3 });
  });

  test('are refused from a log that is damaged in its middle', async () => {
    await states.open(spec);
    for (const id of [1, 2, 3]) await states.push('cards', undefined, [payment(id, 0)]);
    const [log] = await logs();
    const bytes = await readFile(log!);
    bytes[20]! ^= 1;
    await writeFile(log!, bytes);
    await expect(reopened()).rejects.toThrow(/is damaged at byte 0/);
    await expect(states.push('cards', undefined, [payment(4, 0)])).rejects.toThrow(/is damaged at byte 0/);
  });

  test('are of one process at a time', async () => {
    await states.open(spec);
    const other = new FeatureStates({ folder });
    await expect(other.open(spec)).rejects.toThrow(`process ${process.pid} keeps features in ${folder}`);
    await expect(other.push('cards', undefined, [payment(1, 0)])).rejects.toThrow('keeps features');
    await states.close();
    await other.open(spec);
    await other.close();
  });

  test.each<[string, RequestRow, string]>([
    ['of a column that there is not', payment(1, 0, { amuont: 3 }), 'row 1: "payments" has no column "amuont": did you mean "amount"?'],
    ['without a key', payment(1, 0, { id: null }), 'row 1: "id" is missing: a row is known by its key'],
    ['without a time', payment(1, 0, { at: 'noon' }), 'row 1: "at" is "noon": windows are placed by it'],
    ['with a value that is none', payment(1, 0, { fraud: 1 }), 'row 1: "fraud" is 1: give true or false'],
    ['of a broken card', payment(1, 0, { card: 1.5 }), 'row 1: "card" is 1.5: give text or a whole number'],
    ['of the future', payment(1, 0, { at: '2126-01-01' }), 'row 1: 2126-01-01T00:00:00.000Z is more than a day in the future'],
  ])('refuse a row %s, and all that come with it', async (_, row, fault) => {
    const features = (await states.open(spec))!;
    await expect(states.push('cards', undefined, [payment(0, 0), row])).rejects.toThrow(fault);
    expect(features.missing?.code).toBe('FeaturesMissing');
  });

  test('refuse rows of a source or a model that has none', async () => {
    await states.open(spec);
    await expect(states.push('cards', 'refunds', [payment(1, 0)])).rejects.toThrow('no aggregates are of "refunds": there are payments');
    await expect(states.push('films', undefined, [payment(1, 0)])).rejects.toThrow('films has no aggregates');
  });
});
