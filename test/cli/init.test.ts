import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { simulateStreamingService } from '../../simulation/streaming-service.ts';
import { simulateSupportDesk } from '../../simulation/support-desk.ts';
import { perennial } from './command.ts';
import { initFromPackage, run } from './packed.ts';
import type { PackedProject } from './packed.ts';

const root = resolve(import.meta.dirname, '../..');

describe('a project made by the packed package', () => {
  let made: PackedProject;
  beforeAll(async () => {
    made = await initFromPackage();
  });
  afterAll(() => made.remove());

  const inProject = (path: string) => join(made.here.project, path);

  test('names the exact versions that this release was tested with, and nothing of ours is left out of the package', async () => {
    const own = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const { name, dependencies } = JSON.parse(await readFile(inProject('package.json'), 'utf8'));
    expect(name).toBe('my-project');
    expect(dependencies).toMatchObject({ ...own.peerDependencies, 'perennial-ml': own.version });
    expect(await readdir(made.here.project)).toEqual(expect.arrayContaining(['.gitignore', '.dockerignore', '.npmrc', 'Dockerfile', 'README.md']));
    // Whoever has no clone has the demo too.
    expect(made.files).toEqual(expect.arrayContaining(['dist/perennial.config.js', 'dist/pipelines/movies/movie-recommender.js']));
    expect(made.files.filter((file) => /^dist\/(test|bench)\//.test(file))).toEqual([]);
  });

  test('compiles, and passes its own tests', async () => {
    expect(await made.compile()).toEqual({ code: 0, stdout: '' });
    // Node tells a process that a test runner started it, and then reports to that one.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { stdout } = await run('npm', ['test'], { cwd: made.here.project, env: { ...env, NODE_OPTIONS: '' } });
    expect(stdout).toMatch(/pass 2$/m);
    expect(stdout).toMatch(/fail 0$/m);
  });

  test.each([
    ['a trainer', 'pipelines/film-recommender.ts', "trainer: 'ease'", "trainer: 'eaze'"],
    ['a parameter', 'pipelines/film-recommender.ts', 'try: { l2:', 'try: { l3:'],
    ['a column', 'pipelines/film-recommender.ts', "of: 'ratings.rating'", "of: 'ratings.ratting'"],
    ['a setting', 'perennial.config.ts', "path: 'data'", "pathh: 'data'"],
    ["a step's input", 'pipelines/train-and-tell.workflow.ts', 'readApplied({ model })', 'readApplied({ modell: model })'],
    ["an own step's input", 'pipelines/train-and-tell.workflow.ts', 'tellPeople({ text:', 'tellPeople({ txt:'],
  ])('does not compile with %s misspelt', async (_, file, right, wrong) => {
    const text = await readFile(inProject(file), 'utf8');
    expect(text).toContain(right);
    await writeFile(inProject(file), text.replace(right, wrong));
    try {
      const { code, stdout } = await made.compile();
      expect(code).not.toBe(0);
      expect(stdout).toContain(file);
    } finally {
      await writeFile(inProject(file), text);
    }
  });

  test('says how to begin when something is asked before anything runs', async () => {
    const ran = await perennial(made.here, 'train', 'film-recommender');
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('perennial dev') });
    const misspelt = await perennial(made.here, 'train', 'film-recomender');
    expect(misspelt).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean "film-recommender"?') });
  });
});

describe('init refuses', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perennial-init-'));
    await mkdir(join(folder, 'used'));
    await writeFile(join(folder, 'used/notes.txt'), 'mine');
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each([
    ['used', 'is not empty (it has notes.txt)'],
    ['used/notes.txt', 'is a file'],
    ['My Project', 'cannot be the name of a project'],
    ['perennial-ml', 'cannot be the name of a project'],
  ])('%s, as misuse, and writes nothing', async (asked, because) => {
    const before = await readdir(folder, { recursive: true });
    const ran = await perennial({ project: folder, home: join(folder, 'home') }, 'init', asked, '--json');
    expect(ran.code).toBe(2);
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: 'RequestInvalid', message: expect.stringContaining(because) } });
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });
});

test('the samples of a new project are what the simulations write', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-sample-'));
  try {
    await simulateStreamingService(folder, { seed: 7, users: 80, films: 80, from: '2024-07-01', to: '2025-07-01' });
    await simulateSupportDesk(folder, { seed: 7, tickets: 2000, customers: 200, from: '2025-01-01', days: 150 });
    for (const file of ['movies.csv', 'ratings.csv', 'tickets.csv']) {
      expect(await readFile(join(root, 'template/data', file), 'utf8')).toBe(await readFile(join(folder, file), 'utf8'));
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
