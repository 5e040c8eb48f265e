import { describe, expect, test } from '@jest/globals';
import { key, keyPrefix, keySegment } from '../../stores/key.ts';

describe('a key', () => {
  test.each(['a', '0', 'models/top-movies/month=10/log/000000000042.json', 'blobs/sha256/ab/abcdef', 'a_b.c=d-e', 'x'.repeat(255)])(
    'may be "%s"',
    (text) => {
      expect(key(text)).toBe(text);
    },
  );

  test.each(['', '/', 'a//b', '.hidden', '-a', '_a', '=a', 'a/.b', 'A', 'a:b', 'a\\b', 'a%', 'ä', 'x'.repeat(256), 'abc/'.repeat(130) + 'a'])(
    'may not be %j, since some file system or server could not hold it',
    (text) => expect(() => key(text)).toThrow(expect.objectContaining({ code: 'KeyInvalid', facts: { key: text } })),
  );

  test('prefix may end anywhere', () => {
    for (const prefix of ['', 'a', 'a/', 'a/b-', 'changes/2026-11-24/17']) expect(keyPrefix(prefix)).toBe(prefix);
    for (const prefix of ['/', '../', 'a//', '.', 'a/.']) expect(() => keyPrefix(prefix)).toThrow(expect.objectContaining({ code: 'KeyInvalid' }));
  });

  test('segment of any text is itself, or readable and unique', () => {
    expect(keySegment('0198f3a2-run')).toBe('0198f3a2-run');
    expect(keySegment('buildRows')).toMatch(/^build-rows\.[0-9a-f]{16}$/);
    const texts = ['buildRows', 'build-rows', 'BuildRows', 'build rows', '', '..', '/', 'ü', 'train/x', 'x'.repeat(500)];
    const segments = texts.map(keySegment);
    expect(new Set(segments).size).toBe(texts.length);
    for (const segment of segments) expect(key(`a/${segment}/b`)).toContain(segment);
  });
});
