import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { ModelSpec, TrainEntry } from '../../core/model-spec.ts';
import { hasBrowser, startBrowser } from '../support/chromium.ts';
import { deliveries, late } from '../workflows/deliveries.ts';
import { startSystem, type TestSystem } from '../workflows/harness.ts';
import { perennial, type Surroundings } from './command.ts';
import { makeProject } from './project.ts';

describe('two versions of a model of a table', () => {
  let data: string;
  let system: TestSystem;
  let here: Surroundings;
  let removeProject: () => Promise<void>;

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'perennial-compare-'));
    // The harness serves ratings, too.
    await writeFile(join(data, 'ratings.csv'), 'userId,movieId,rating,timestamp\n');
    system = await startSystem({ data });
    const project = await makeProject({});
    removeProject = project.remove;
    here = { project: project.folder, home: join(data, 'home'), env: { PERENNIAL_STORE: system.storeUri } };
    // Of the second's test rows the first has never seen a part, and sat its own exam on other ones.
    for (const [rows, train] of [
      [2500, [{ trainer: 'linear', with: { l2: 1000 } }]],
      [3000, [{ trainer: 'gbdt', with: { trees: 40 } }]],
    ] satisfies (readonly [number, readonly TrainEntry[]])[]) {
      await writeFile(join(data, 'deliveries.csv'), deliveries(rows));
      const outcome = await (await system.client.train({ ...late, train } as ModelSpec, {})).result();
      if (outcome.outcome === 'unchanged') throw new Error('a version is missing');
    }
  }, 120_000);
  afterAll(async () => {
    await system.close();
    await removeProject();
    await rm(data, { recursive: true, force: true });
  });

  /** What the second version gains in the gate's metric, as its own exam says. */
  const judged = async () => {
    const { version } = await system.registry.version('late@2');
    return version.verdict!.gains.find(({ over }) => over === 'champion')!;
  };

  test('are compared on a page, with the gains of the exam that both sat', async () => {
    const { code, stdout } = await perennial(here, 'compare', 'late@1', 'late@2');
    expect(code).toBe(0);
    const path = /^page: (.*)$/m.exec(stdout)![1]!;
    expect(path).toBe(join(data, 'home', 'comparisons', 'late-all-1--late-all-2.html'));
    const { value, low } = await judged();
    expect(stdout).toMatch(new RegExp(`roc-auc +\\+${value.toFixed(4)} +\\+${low.toFixed(4)} to `));
    const page = await readFile(path, 'utf8');
    for (const said of ['ROC curve', 'Probabilities: v1', 'Probabilities: v2', 'Thresholds: v2', `+${value.toFixed(4)}`, 'jam=high'])
      expect(page).toContain(said);
  });

  test.each([
    ['late@1', 'late@2'],
    ['late@2', 'late@1'],
  ])('have figures of one exam, so that the gain is what lies between them: %s and %s', async (first, second) => {
    const { stdout } = await perennial(here, 'compare', first, second);
    const page = await readFile(/^page: (.*)$/m.exec(stdout)![1]!, 'utf8');
    const rows = [
      ...page
        .split('<h2>Figures</h2>')[1]!
        .split('</table>')[0]!
        .matchAll(/<tr>\s*<th scope="row".*?<\/tr>/gs),
    ].map(([row]) =>
      [...row.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map(([, cell]) => Number(/[−+\d.]+/.exec(cell!.replace(/<[^>]*>/g, ' '))?.[0].replace('−', '-'))),
    );
    expect(rows.length).toBeGreaterThan(5);
    for (const [before, after, gain] of rows) expect(Math.abs(after! - before!)).toBeCloseTo(Math.abs(gain!), 3);
    const own = (await system.registry.version('late@1')).version.metrics['roc-auc']!;
    const { value } = await judged();
    const seconds = (await system.registry.version('late@2')).version.metrics['roc-auc']!;
    expect(Math.abs(seconds - own - value)).toBeGreaterThan(0.001);
  });

  test('are compared for programs without a page', async () => {
    const { stdout } = await perennial({ ...here, home: join(data, 'elsewhere') }, 'compare', 'late@1', 'late@2', '--json');
    expect(Object.keys(JSON.parse(stdout) as object)).toEqual(['versions', 'sides', 'sameExam', 'metrics', 'gains', 'differences']);
    await expect(readFile(join(data, 'elsewhere', 'comparisons', 'late-all-1--late-all-2.html'))).rejects.toThrow('ENOENT');
  });

  test('have reports that say what their contenders are and what features weigh', async () => {
    const { version } = await system.registry.version('late@2');
    const report = String(await system.blobs.readBytes(version.report.sha256));
    expect(report).toMatch(/one-feature<small title="">km alone, log loss 0\.\d+ out of fold/);
    expect(report).toMatch(/aria-label="Importance: km \d+(\.\d)? %, /);
    expect(report).toContain('by gain of the splits');
    const first = await system.registry.version('late@1');
    expect(String(await system.blobs.readBytes(first.version.report.sha256))).toContain('by spread of its term in the score');
  });

  (hasBrowser ? test : test.skip)('have pages that a browser shows without a complaint, in its width, light and dark', async () => {
    const { version } = await system.registry.version('late@2');
    const report = await system.blobs.open(version.report.sha256);
    const comparison = join(data, 'home', 'comparisons', 'late-all-1--late-all-2.html');
    const copied = join(data, 'report.html');
    await writeFile(copied, await readFile(report));
    const browser: Browser = await startBrowser();
    try {
      for (const colorScheme of ['light', 'dark'] as const) {
        const context = await browser.newContext({ colorScheme, viewport: { width: 1000, height: 900 } });
        const page = await context.newPage();
        const complaints: string[] = [];
        page.on('console', (message) => complaints.push(message.text()));
        page.on('pageerror', (error) => complaints.push(error.message));
        page.on('request', (request) => request.url().startsWith('file:') || complaints.push(`asks for ${request.url()}`));
        for (const path of [copied, comparison]) {
          await page.goto(`file://${path}`);
          expect(await page.getByRole('img').count()).toBeGreaterThan(4);
          // Nothing is wider than the page, and no table has to be scrolled.
          expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
          expect(await page.evaluate('[...document.querySelectorAll(".scroll")].every((each) => each.scrollWidth <= each.clientWidth)')).toBe(true);
        }
        expect(complaints).toEqual([]);
        await context.close();
      }
    } finally {
      await browser.close();
    }
  });
});
