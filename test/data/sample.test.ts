import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { zipSync } from 'fflate';
import { fetchMovielens, movielensSmall } from '../../data/sample.ts';
import { realData } from '../support/real-data.ts';
import { rejection, scratchFolder } from './scratch.ts';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** A publisher on loopback; counts its requests. */
async function publish(body: Uint8Array | string, status = 200) {
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.writeHead(status, { 'content-length': Buffer.byteLength(body) }).end(body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  open.push(() => (server.close(), server.closeAllConnections()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/small.zip`, requests: () => requests };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const ratings = 'userId,movieId\r\n1,1\r\n';
const sample = { ...movielensSmall, folder: 'small', files: { 'ratings.csv': { sha256: sha256(ratings) } } };
const archive = (content: string, name = 'small/ratings.csv') => zipSync({ [name]: Buffer.from(content), '../../evil.txt': Buffer.from('evil') });

describe('a sample', () => {
  test('is downloaded with progress, checked and unpacked, and not downloaded again', async () => {
    const publisher = await publish(archive(ratings));
    const to = join(scratchFolder(), 'movielens');
    const seen: number[] = [];
    const first = await fetchMovielens({ to, url: publisher.url, sample, onProgress: (done) => seen.push(done) });
    expect(first).toMatchObject({ folder: to, present: false, files: [{ path: join(to, 'ratings.csv'), sha256: sha256(ratings) }] });
    expect(readFileSync(join(to, 'ratings.csv'), 'utf8')).toBe(ratings);
    expect(seen.at(-1)).toBeGreaterThan(100);
    expect(existsSync(join(to, '../../evil.txt'))).toBe(false);
    expect((await fetchMovielens({ to, url: publisher.url, sample })).present).toBe(true);
    expect(publisher.requests()).toBe(1);
  });

  test('that was put there by hand is accepted without a network', async () => {
    const to = scratchFolder();
    writeFileSync(join(to, 'ratings.csv'), ratings);
    expect((await fetchMovielens({ to, url: 'http://127.0.0.1:9/small.zip', sample })).present).toBe(true);
  });

  test('without a network says what to do by hand', async () => {
    const to = join(scratchFolder(), 'movielens');
    const error = await rejection(fetchMovielens({ to, url: 'http://127.0.0.1:9/small.zip', sample }), 'SourceUnreachable');
    expect(error.message).toContain('By hand: download it where there is a network');
    expect(error.message).toContain(`copy ratings.csv from its folder "small" into ${to}`);
    expect(existsSync(to)).toBe(false);
    await rejection(fetchMovielens({ to, url: (await publish('gone', 404)).url, sample }), 'SourceUnreachable');
  });

  test.each([
    ['with other content', archive('userId,movieId\r\n1,2\r\n'), 'has the SHA-256'],
    ['without a file', archive(ratings, 'other/ratings.csv'), 'has no small/ratings.csv'],
    ['that is no archive', '<html>Sign in</html>', 'is not a zip archive'],
  ])('%s is refused, and nothing is written', async (_, body, fault) => {
    const to = join(scratchFolder(), 'movielens');
    const publisher = await publish(body);
    expect((await rejection(fetchMovielens({ to, url: publisher.url, sample }), 'SourceInvalid')).message).toContain(fault);
    expect(existsSync(to)).toBe(false);
  });
});

const real = realData('movielens-latest-small');

(real ? test : test.skip)('the real MovieLens files are the pinned ones', async () => {
  expect(await fetchMovielens({ to: real!, url: 'http://127.0.0.1:9/' })).toMatchObject({ present: true });
});
