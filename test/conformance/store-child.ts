/**
 * The other process of store and log tests: `node store-child.js <what> <store uri> …`. It says `ready` and waits for a message, so that racers start
 * together, then answers with one message. Compiled, since Node 20 does not run TypeScript.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Link, openLog } from '../../registry/log.ts';
import { openBlobs } from '../../stores/blobs.ts';
import { sha256 } from '../../stores/digest.ts';
import { key } from '../../stores/key.ts';
import type { ObjectStore } from '../../stores/object-store.ts';
import { openStore } from '../../stores/open-store.ts';
import { createNoise } from './noise.ts';

const [what = '', uri = '', prefix = '', fourth = '', fifth = ''] = process.argv.slice(2);
const [count, writers] = [Number(fourth), Number(fifth)];

const tasks: Record<string, (store: ObjectStore) => Promise<unknown>> = {
  /** Settles `count` keys with bytes of its own, `writers` at once for each, and says what stands at each. */
  async settle(store) {
    const standing: string[] = [];
    for (let at = 0; at < count; at++) {
      const write = () => store.settle(key(`${prefix}/${at}.json`), randomBytes(64));
      const seen = new Set((await Promise.all(Array.from({ length: writers }, write))).map(sha256));
      standing.push([...seen].join(' or '));
    }
    return standing;
  },

  /** Appends `count` entries to a log, each of which says how many it was told there are. */
  async append(store) {
    const log = openLog<Link & { told: number; by: number }>(store, prefix);
    for (let at = 0; at < count; at++) await log.append((entries) => ({ told: entries.length, by: process.pid }));
    return count;
  },

  /** Uploads `count` MB and reads them back, and says by how much its memory grew beyond what it had after a first small round. */
  async stream(store) {
    const folder = await mkdtemp(join(tmpdir(), 'perennial-stream-'));
    try {
      const blobs = await openBlobs(store, join(folder, 'cache'));
      const round = async (megabytes: number): Promise<number> => {
        let highest = 0;
        const look = () => void (highest = Math.max(highest, process.memoryUsage.rss()));
        const path = join(folder, `${megabytes}-mb`);
        await writeFile(path, createNoise(megabytes));
        const blob = await blobs.put(path, { onBytes: look });
        const hash = createHash('sha256');
        for await (const chunk of (await store.read(key(`blobs/sha256/${blob.sha256.slice(0, 2)}/${blob.sha256}`)))!) {
          hash.update(chunk);
          look();
        }
        if (hash.digest('hex') !== blob.sha256) throw new Error('other bytes came back');
        await blobs.open(blob.sha256, { onBytes: look });
        look();
        return highest;
      };
      const before = await round(20);
      return Math.max(0, (await round(count)) - before);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },

  /** Uploads and settles until it is killed, with `fourth` as its folder, and tells each time that bytes are on their way. */
  async writeForever(store) {
    const path = join(fourth, 'file');
    for (let at = 0; ; at++) {
      const bytes = randomBytes(8 << 20);
      await writeFile(path, bytes);
      const digest = sha256(bytes);
      await store.upload(key(`${prefix}/${digest}`), { path, sha256: digest, bytes: bytes.length }, { onBytes: () => process.send!('writing') });
      const small = randomBytes(4096);
      await store.settle(key(`${prefix}/${sha256(small)}`), small);
    }
  },
};

const store = await openStore(uri);
process.send!('ready');
process.once('message', async () => {
  const run = tasks[what];
  if (run === undefined) throw new Error(`no task "${what}"`);
  process.send!({ answer: await run(store) });
  process.disconnect();
});
process.once('disconnect', () => process.exit());
