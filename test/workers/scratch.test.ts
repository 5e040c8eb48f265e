import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openScratch } from '../../workers/scratch.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'perennial-scratch-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('a worker throws away what a killed one left, and leaves alone what belongs to one that lives', async () => {
  const living = await openScratch(root);
  await writeFile(join(living.folder, 'rows'), 'mine');
  await mkdir(join(root, 'dead'));
  await writeFile(join(root, 'dead', 'rows'), 'nobody’s');
  await writeFile(join(root, 'dead.lock'), '999999999');
  await mkdir(join(root, 'trainModel-of-an-older-release'));

  const later = await openScratch(root);
  const names = [living, later].map(({ folder }) => basename(folder));
  expect(await readdir(living.folder)).toEqual(['rows']);
  expect((await readdir(root)).toSorted()).toEqual(names.flatMap((name) => [name, `${name}.lock`]).toSorted());

  await living.close();
  await later.close();
  expect(await readdir(root)).toEqual([]);
});
