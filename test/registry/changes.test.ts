import { expect, test } from '@jest/globals';
import { announce, type Change, followChanges } from '../../registry/changes.ts';
import { createStoreInMemory } from '../conformance/store-in-memory.ts';

const change = (n: number): Change => ({ model: 'top-movies', segment: 'city=new_york.1', n });
const minutes = (n: number): Date => new Date(Date.now() + n * 60_000);

test('a writer whose clock runs ahead hides no change of the others', async () => {
  const store = createStoreInMemory();
  const follower = followChanges(store, minutes(0));
  await announce(store, change(1), minutes(30));
  expect(await follower.changes()).toEqual([change(1)]);
  await announce(store, change(2), minutes(0));
  expect(await follower.changes()).toEqual([change(2)]);
  expect(await follower.changes()).toEqual([]);
});

test('a hint that comes a little late is heard, and old ones are not read again', async () => {
  const store = createStoreInMemory();
  await announce(store, change(1), minutes(-60 * 24));
  const follower = followChanges(store, minutes(0));
  expect(await follower.changes()).toEqual([]);
  await announce(store, change(3), minutes(0));
  await follower.changes();
  await announce(store, change(2), minutes(-0.5));
  expect(await follower.changes()).toEqual([change(2)]);
});

test('what is no hint is passed over', async () => {
  const store = createStoreInMemory();
  store.objects.set('changes/2099-01-01/note.txt', Buffer.from(''));
  expect(await followChanges(store, minutes(0)).changes()).toEqual([]);
});
