import { describe, expect, test } from '@jest/globals';
import { csvRecords } from '../../data/sources/csv-records.ts';
import { rejection } from './scratch.ts';

async function recordsOf(text: string | Uint8Array, pieceBytes: number): Promise<unknown[]> {
  const bytes = Buffer.from(text);
  async function* pieces() {
    for (let from = 0; from < bytes.length; from += pieceBytes) yield bytes.subarray(from, from + pieceBytes);
  }
  const records: unknown[] = [];
  for await (const some of csvRecords(pieces(), 'it')) records.push(...some);
  return records;
}

describe('comma-separated values', () => {
  test.each([
    [
      'line feeds',
      'a,b\n1,2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'no line end at the end',
      'a,b\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'Windows line ends',
      'a,b\r\n1,2\r\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    ['a byte order mark', '\uFEFFa,b\n', [['a', 'b']]],
    [
      'empty fields and lines',
      'a,,\n\n,b,""\n\n',
      [
        ['a', null, null],
        [null, 'b', null],
      ],
    ],
    [
      'quotes, commas and lines in quotes',
      '"a ""b"", c","d\ne"\n"""",""""""\n',
      [
        ['a "b", c', 'd\ne'],
        ['"', '""'],
      ],
    ],
    ['a quote in the middle', `5" tall,it's\n`, [['5" tall', `it's`]]],
    ['letters of several bytes', 'Zürich,🏥\n', [['Zürich', '🏥']]],
    ['nothing', '', []],
  ])('with %s are read the same wherever the stream is cut', async (_, text, expected) => {
    for (const pieceBytes of [1, 2, 3, 1000]) expect(await recordsOf(text, pieceBytes)).toEqual(expected);
  });

  test.each([
    ['a quote that never ends', 'a\n"b\nc', 'line 3 is the last, and a quote is missing'],
    ['text after a quoted field', 'a\n"b"c', 'line 2 has text after the quote'],
    ['another encoding', new Uint8Array([97, 10, 0xfc, 10]), 'line 1 is not UTF-8'],
  ])('with %s are refused, and no value is shown', async (_, text, message) => {
    expect((await rejection(recordsOf(text, 1000), 'SourceInvalid')).message).toContain(message);
  });
});
