import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { formatLineage } from '../../registry/format-lineage.ts';
import { digestFile } from '../../stores/digest.ts';
import { openIndex } from '../lineage-index.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import type { Workplace } from '../workplace.ts';

export function lineageCommand(program: Command): void {
  verb(program, 'lineage <subject>', 'what made a version, an artifact or a file, and what it made in turn', [
    'lineage movie-recommender',
    'lineage movie-recommender/month=10@2',
    'lineage 6ad712e37c63              # an artifact, by eight digits of its SHA-256 or more',
    'lineage data/ratings.csv          # a file: what was it read into?',
    'lineage movie-recommender --json',
  ]).action((subject: string, flags: VerbOptions) => perform(flags, (at) => lineage(at, subject)));
}

async function lineage(at: Workplace, text: string): Promise<void> {
  const { store, registry } = await at.kept();
  const { indexedLineage } = await import('../../lineage/indexed-lineage.ts');
  const { from: _, ...found } = await indexedLineage(await openIndex(at), { registry, store: store.uri }, await subjectOf(text));
  at.out.result(found, () => formatLineage(found));
}

/** A file that is there stands for its content. */
async function subjectOf(text: string): Promise<string> {
  const isFile = await stat(text).then(
    (found) => found.isFile(),
    () => false,
  );
  return isFile ? (await digestFile(text)).sha256 : text;
}
