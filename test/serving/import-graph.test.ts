import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');

/** Every module that a source imports, itself or through others; types are erased and do not count. Packages by their names. */
async function importsOf(entry: string, seen = new Set<string>()): Promise<ReadonlySet<string>> {
  const name = relative(root, entry);
  if (seen.has(name)) return seen;
  seen.add(name);
  const source = await readFile(entry, 'utf8');
  const statements = source.matchAll(/^(?:import|export)\s(?!type\b)[^;]*?\sfrom '([^']+)'|\bimport\('([^']+)'\)|^import '([^']+)'/gm);
  for (const [, from, dynamic, bare] of statements) {
    const module = from ?? dynamic ?? bare!;
    if (module.startsWith('.')) await importsOf(join(dirname(entry), module), seen);
    else seen.add(module);
  }
  return seen;
}

const entries = ['serving/index.ts', 'serving/model-thread.ts'];

test.each(entries)('%s needs no Temporal, DuckDB or AWS, and nothing of trainers, workflows or workers', async (entry) => {
  const imports = [...(await importsOf(join(root, entry)))];
  expect(imports).toContain('onnxruntime-node');
  expect(imports.filter((name) => /^@temporalio|^@duckdb|^@aws-sdk/.test(name))).toEqual([]);
  expect(imports.filter((name) => /^(trainers|workflows|activities|workers|cli|client|data|report|pipelines)\//.test(name))).toEqual([]);
});

test('the reader of imports sees what is forbidden where it is used', async () => {
  expect([...(await importsOf(join(root, 'workflows/steps.ts')))]).toContain('@temporalio/workflow');
});
