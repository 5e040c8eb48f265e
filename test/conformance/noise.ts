import { createHash } from 'node:crypto';

const megabyte = 1 << 20;

/** Bytes that no compression shrinks, the same each time, one megabyte after the other. */
export function* createNoise(megabytes: number): Generator<Uint8Array> {
  const block = Buffer.allocUnsafe(megabyte);
  for (let at = 0; at < megabyte; at += 32) createHash('sha256').update(String(at)).digest().copy(block, at);
  for (let at = 0; at < megabytes; at++) {
    block.writeUInt32LE(at);
    yield Buffer.from(block);
  }
}
