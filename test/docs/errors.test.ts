import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { catalogue, type ErrorCode } from '../../core/errors.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8');
const sections = page.split(/^## /m).slice(1);
const codes = sections.map((section) => section.slice(0, section.indexOf('\n')));

describe('docs/errors.md', () => {
  test('has one heading for each code of the catalogue, in its order', () => {
    expect(codes).toEqual(Object.keys(catalogue));
  });

  test.each(sections.map((section, at) => [codes[at] as ErrorCode, section] as const))('tells meaning, cause and cure of %s', (code, section) => {
    const [, meaning, cause, cure, ...rest] = section.trim().split('\n');
    expect(meaning).toMatch(/^\*\*Meaning\.\*\* .+[.)]$/);
    expect(cause).toMatch(/^\*\*Cause\.\*\* .+/);
    expect(cure).toMatch(/^\*\*Cure\.\*\* .+/);
    expect(rest).toEqual([]);
    // Whether a failure is retried is told, and truly.
    const again = / Again[.,]/.test(meaning ?? '');
    expect({ code, retry: again, told: again || / Not again\./.test(meaning ?? '') }).toEqual({ code, retry: catalogue[code]?.retry, told: true });
  });
});
