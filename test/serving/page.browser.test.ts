import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { startPredictionServer, type PredictionServer } from '../../serving/index.ts';
import { hasBrowser, startBrowser } from '../support/chromium.ts';
import { byGenre, films, histories, rule } from './films.ts';
import { openShop, type Release, type Shop } from './shop.ts';

const gain = { metric: 'ndcg@10', over: 'popularity', value: 0.0213, low: 0.0131, high: 0.0298 };

const learned = (strength: number, more: Partial<Release> = {}): Release => ({
  model: 'movie-recommender',
  onnx: byGenre(films, strength),
  items: films,
  histories,
  metrics: { 'ndcg@10': 0.0753 },
  gains: [gain],
  ...more,
});

(hasBrowser ? describe : describe.skip)('the page', () => {
  let shop: Shop;
  let server: PredictionServer;
  let browser: Browser;
  let page: Page;
  /** Whatever the browser complains about. */
  const complaints: string[] = [];

  beforeAll(async () => {
    shop = await openShop();
    server = await startPredictionServer({ ...shop, followEveryMs: 50, links: { run: ({ runId }) => `http://127.0.0.1:9/runs/${runId}` } });
    browser = await startBrowser();
    page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
    await shop.close();
  });

  const column = (title: string) => page.getByRole('article', { name: title });
  const titles = (title: string) => column(title).locator('.film-title').allTextContents();
  const arrives = (title: string, text: string) => column(title).getByText(text).first().waitFor();
  const leads = (title: string, text: string) => column(title).locator('li:first-child').getByText(text).waitFor();
  const leaves = (title: string, text: string) => column(title).getByText(text).waitFor({ state: 'detached' });

  test('says what to do while there is no model, and shows the models that come', async () => {
    await page.goto(server.url);
    await page.getByText('No model yet').waitFor();
    await shop.register(learned(1));
    await arrives('Movie recommender', 'No version yet');
    await shop.release(learned(1));
    await shop.release({ model: 'top-movies', onnx: rule(['9', '2']), items: films, metrics: { 'ndcg@10': 0.02 } });
    await arrives('Movie recommender', 'Toy Story');
    await arrives('Top movies', 'Blade Runner');
    expect(await titles('Top movies')).toEqual(['Blade Runner 1982', 'The Matrix 1999']);
  });

  test('shows which version answers, its figures, its run and its report', async () => {
    const shown = await column('Movie recommender').textContent();
    for (const text of ['v1', '.0753', '+.0213', '+.0131 to +.0298', 'over popularity', '1 Jan 2018 – 30 Sept 2018', 'better'])
      expect(shown).toContain(text);
    expect(await column('Movie recommender').getByRole('link', { name: 'Run that made' }).getAttribute('href')).toBe(
      'http://127.0.0.1:9/runs/0199-test',
    );
    const report = await page.request.get(
      server.url + (await column('Movie recommender').getByRole('link', { name: 'Report' }).getAttribute('href')),
    );
    expect(await report.text()).toContain('Report of movie-recommender');
  });

  test('recommends to a user who is chosen with the keyboard', async () => {
    await page.getByLabel('Who is it for?').fill('7');
    await page.getByRole('option', { name: 'User 7' }).waitFor();
    await page.keyboard.press('Enter');
    await leads('Movie recommender', 'Alien');
    expect((await titles('Movie recommender'))[0]).toBe('Alien 1979');
    await page.getByText('loved Halloween').waitFor();
    // One who has not met it gets it, this one does not.
    expect(await titles('Movie recommender')).not.toContain('Toy Story 1995');
  });

  test('recommends to a visitor from the films that they like', async () => {
    await page.getByRole('button', { name: 'Forget user 7' }).click();
    await page.getByLabel('What do they like?').fill('matr');
    await page.getByRole('option', { name: 'The Matrix' }).click();
    await page.getByRole('button', { name: 'Remove The Matrix' }).waitFor();
    await leads('Movie recommender', 'Blade Runner');
    await leaves('Top movies', 'The Matrix');
    // The rule keeps to its list, without the film that is known.
    expect(await titles('Top movies')).toEqual(['Blade Runner 1982']);
  });

  test('adds a recommended film to the liked ones, and keeps the question in the address', async () => {
    await column('Movie recommender').getByRole('button', { name: 'More like Star Wars' }).click();
    await page.getByRole('button', { name: 'Remove Star Wars' }).waitFor();
    expect(new URL(page.url()).searchParams.getAll('liked')).toEqual(['2', '12']);
    await page.reload();
    await page.getByRole('button', { name: 'Remove Star Wars' }).waitFor();
    await page.getByRole('button', { name: 'Remove The Matrix' }).waitFor();
  });

  test('shows a segment’s own version, and says where there is none', async () => {
    await shop.release(learned(2, { segment: 'month=10' }));
    await page.getByText('October', { exact: true }).click();
    await arrives('Top movies', 'No champion for October: “All year” answers.');
    expect(await column('Movie recommender').getByText('No champion').count()).toBe(0);
  });

  test('shows a new version as soon as it is promoted', async () => {
    await page.getByText('All year', { exact: true }).click();
    await shop.release(learned(3));
    await arrives('Movie recommender', 'now v2');
    await page.getByRole('status').getByText('Movie recommender: now v2').waitFor();
  });

  test('says kindly that a version was refused, and that the server is gone', async () => {
    await shop.release(learned(4, { goldenOf: byGenre(films, 5) }));
    await arrives('Movie recommender', 'v3 was refused, so the version before it stays');
    expect(await column('Movie recommender').getByRole('link', { name: 'Report of movie-recommender v2' }).count()).toBe(1);
    expect(complaints).toEqual([]);
    await server.close();
    await page.getByText('The prediction server does not answer').waitFor();
    expect(await titles('Movie recommender')).not.toEqual([]);
  });
});
