import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { startUserDataApi, type UserDataApi, type UserDataApiOptions } from '../../simulation/user-data-api.ts';
import { parquetOf, scratchFolder } from './scratch.ts';

const token = 'a-token';
const authorization = `Bearer ${token}`;
const open: UserDataApi[] = [];
afterEach(async () => {
  for (const api of open.splice(0)) await api.close();
});

async function start(ratings: UserDataApiOptions['ratings'], pageSize = 2) {
  const api = await startUserDataApi({ ratings, token, pageSize });
  open.push(api);
  return (path = '/v1/ratings', init: RequestInit = {}) => fetch(`${api.url}${path}`, { headers: { authorization }, ...init });
}

const csv = 'userId,movieId,rating,timestamp\n2,10,3.5,964982703\n1,9,4.0,964982600\n1,10,0.5,964982600\n';

describe('the simulated user-data API', () => {
  test.each([
    [
      'CSV',
      () => {
        const path = join(scratchFolder(), 'ratings.csv');
        writeFileSync(path, csv);
        return path;
      },
    ],
    [
      'Parquet',
      () =>
        parquetOf(`SELECT * FROM (VALUES ('2', '10', 3.5::DOUBLE, TIMESTAMP '2000-07-30 18:45:03'), ('1', '9', 4.0, TIMESTAMP '2000-07-30 18:43:20'),
      ('1', '10', 0.5, TIMESTAMP '2000-07-30 18:43:20')) x("userId", "movieId", rating, "ratedAt")`),
    ],
  ])('serves %s in pages, oldest first', async (_, file) => {
    const get = await start(await file());
    const first = (await (await get()).json()) as { data: unknown[]; next: string };
    expect(first.data).toEqual([
      { userId: '1', movieId: '9', rating: 4, ratedAt: '2000-07-30T18:43:20.000Z' },
      { userId: '1', movieId: '10', rating: 0.5, ratedAt: '2000-07-30T18:43:20.000Z' },
    ]);
    const second = await (await get(`/v1/ratings?cursor=${first.next}`)).json();
    expect(second).toEqual({ data: [{ userId: '2', movieId: '10', rating: 3.5, ratedAt: '2000-07-30T18:45:03.000Z' }], next: null });
  });

  test('asks for its token, and refuses a cursor that it did not give', async () => {
    const get = await start([]);
    expect((await get('/v1/ratings', { headers: {} })).status).toBe(401);
    expect((await get('/v1/ratings', { method: 'HEAD', headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    expect((await get('/v1/ratings?cursor=p9')).status).toBe(400);
    expect((await get('/v1/ratings?cursor=__proto__')).status).toBe(400);
  });

  test('says by its ETag whether anything is new', async () => {
    const get = await start([{ userId: '1', movieId: '2', rating: 3, ratedAt: '2024-01-01T00:00:00.000Z' }]);
    const etag = (await get('/v1/ratings', { method: 'HEAD' })).headers.get('etag')!;
    expect((await get('/v1/ratings', { headers: { authorization, 'if-none-match': etag } })).status).toBe(304);
    await open[0]!.replace([]);
    expect((await get('/v1/ratings', { method: 'HEAD' })).headers.get('etag')).not.toBe(etag);
  });
});
