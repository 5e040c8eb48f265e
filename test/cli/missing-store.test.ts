import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { perennial } from './command.ts';
import { makeProject } from './project.ts';

let project: string;
let removeProject: () => Promise<void>;
beforeAll(async () => ({ folder: project, remove: removeProject } = await makeProject({})));
afterAll(() => removeProject());

describe('where there is no store', () => {
  test.each([
    [['verify']],
    [['versions']],
    [['versions', 'film']],
    [['lineage', 'film']],
    [['predict', 'film', '--user', '7']],
    [['export', 'film', '--to', './package']],
    [['explain-cache', 'film']],
    [['prune', '--older-than', '3d']],
    [['erase', '--subject', 'userId=42']],
    [['runs']],
  ])('%j says so, fails, and makes none', async (args) => {
    const [home, store] = [join(project, 'home'), join(project, 'typo')];
    const { code, stderr, stdout } = await perennial({ project, home, env: { PERENNIAL_STORE: store } }, ...args);
    expect({ code, stderr, stdout }).toEqual({
      code: 1,
      stderr: expect.stringContaining(`[StoreMissing]: there is no store at ${store}`),
      stdout: '',
    });
    expect([home, store].filter((folder) => existsSync(folder))).toEqual([]);
  });

  test.each([[['verify', './typo']], [['verify', 'file:///nowhere/typo']], [['store', 'copy', './typo', './target']]])(
    '%j is misused, and makes none',
    async (args) => {
      const { code, stderr } = await perennial({ project, home: join(project, 'home') }, ...args);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('there is no store at') });
      expect(['typo', 'target'].filter((name) => existsSync(join(project, name)))).toEqual([]);
    },
  );
});

test('an empty folder is an empty store, which is whole', async () => {
  const store = join(project, 'empty');
  await mkdir(store);
  expect((await perennial({ project, home: join(project, 'home'), env: { PERENNIAL_STORE: store } }, 'verify')).code).toBe(0);
});
