import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadModel } from '../../serving/index.ts';
import type { ServedModel } from '../../serving/index.ts';
import { byGenre, films, histories, rule } from './films.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
let model: ServedModel;

beforeAll(async () => {
  shop = await openShop();
  await shop.release({ model: 'by-genre', onnx: byGenre(), items: films, histories });
  await shop.release({ model: 'rule', onnx: rule(['9', '2']), items: films });
  model = await loadModel(shop, { model: 'by-genre' });
});

afterAll(async () => {
  await model.release();
  await shop.close();
});

const ids = (items: readonly { readonly id: string }[]) => items.map(({ id }) => id);

describe('a model as a library', () => {
  test('recommends by a user’s history, and nothing that the user has met, liked or not', async () => {
    const { known, items } = await model.recommend({ user: '7', count: 3 });
    expect(known).toBe(true);
    // Liked: Halloween and Scream. Toy Story got 2 of 5, so it does not speak for the user, and is not recommended either.
    expect(ids(items)).toEqual(['10', '2', '3']);
    expect(items[0]).toMatchObject({ rank: 1, title: 'Alien (1979)', categories: ['Horror', 'Sci-Fi'] });
  });

  test('recommends by liked films alone, and names those that it does not know', async () => {
    const { known, unknown, items } = await model.recommend({ liked: ['6', 'nothing', '6'], count: 2 });
    expect({ known, unknown, ids: ids(items) }).toEqual({ known: false, unknown: ['nothing'], ids: ['7', '1'] });
  });

  test('joins a user’s history and liked films', async () => {
    const { items } = await model.recommend({ user: '42', liked: ['2'], count: 12 });
    expect(ids(items).slice(0, 2)).toEqual(['9', '12']);
    expect(ids(items)).not.toContain('3');
  });

  test('gives a newcomer the popular films, and says that nothing is known', async () => {
    const { known, items } = await model.recommend({ user: 'newcomer', count: 3 });
    expect({ known, ids: ids(items) }).toEqual({ known: false, ids: ['1', '2', '3'] });
  });

  test('leaves out what a rule does not recommend', async () => {
    const ruled = await loadModel(shop, { model: 'rule' });
    try {
      expect(ids((await ruled.recommend({ liked: [], count: 10 })).items)).toEqual(['9', '2']);
    } finally {
      await ruled.release();
    }
  });

  test('finds titles without accents, by the beginning of words first', async () => {
    expect(ids(await model.findItems('amelie', 5))).toEqual(['3']);
    // “Alien” begins with it, “Home Alone” has a word that does, “Halloween” contains it.
    expect(ids(await model.findItems('al', 5))).toEqual(['10', '7', '4']);
  });

  test('finds users by the beginning of their id, and tells their favourites', async () => {
    expect(await model.findUsers('4', 5)).toEqual([{ id: '42', items: 1 }]);
    expect(await model.user('7', 1)).toMatchObject({ items: 3, favourites: [{ id: '4', value: 5 }] });
    expect(await model.user('8', 1)).toBeNull();
  });

  test('falls back to the champion of all rows, and refuses a version that is not there', async () => {
    const december = await loadModel(shop, { model: 'by-genre', segment: 'month=12' });
    expect(december.identity).toMatchObject({ segment: 'all', version: 1 });
    await december.release();
    await expect(loadModel(shop, { model: 'by-genre', version: 9 })).rejects.toMatchObject({ code: 'VersionUnknown' });
  });
});
