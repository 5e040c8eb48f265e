import { stat } from 'node:fs/promises';
import { Option } from 'commander';
import type { Command } from 'commander';
import { formatReference } from '../../core/registry.ts';
import { findAnswer } from '../../registry/answers.ts';
import type { Answer } from '../../registry/answers.ts';
import { formatLineage } from '../../registry/format-lineage.ts';
import { digestFile } from '../../stores/digest.ts';
import { openIndex } from '../lineage-index.ts';
import { misuse } from '../misuse.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { short } from '../words.ts';
import type { Workplace } from '../workplace.ts';

interface LineageFlags extends VerbOptions {
  readonly format: 'tree' | 'openlineage';
}

export function lineageCommand(program: Command): void {
  verb(program, 'lineage <subject>', 'what made a version, an artifact, a file or a served answer, and what it made in turn', [
    'lineage movie-recommender',
    'lineage movie-recommender/month=10@2',
    'lineage 6ad712e37c63              # an artifact, by eight digits of its SHA-256 or more',
    'lineage data/ratings.csv          # a file: what was it read into?',
    'lineage prediction:019ab4a1-8c3e-7d20-a1b2-c3d4e5f60718   # a served answer, by its request id',
    'lineage movie-recommender --json',
    'lineage movie-recommender --format openlineage',
  ])
    .addOption(new Option('--format <format>', 'as two trees, or as OpenLineage events').choices(['tree', 'openlineage']).default('tree'))
    .action((subject: string, flags: LineageFlags) => perform(flags, (at) => lineage(at, subject, flags)));
}

/** What a served answer is called: `prediction:<request id>`. */
const prediction = 'prediction:';

const answerText = ({ id, at, model, segment, version, digest, endpoint }: Answer): string =>
  `${id}, ${endpoint}, asked at ${at}: answered by ${formatReference(model, segment, version)} (package ${short(digest)})`;

async function lineage(at: Workplace, text: string, { format }: LineageFlags): Promise<void> {
  const { store, registry } = await at.kept();
  const { indexedLineage } = await import('../../lineage/indexed-lineage.ts');
  const answer = text.startsWith(prediction) ? await findAnswer(store, text.slice(prediction.length)) : undefined;
  const subject = answer === undefined ? await subjectOf(text) : formatReference(answer.model, answer.segment, answer.version);
  const { from: _, ...found } = await indexedLineage(await openIndex(at), { registry, store: store.uri }, subject);
  if (format === 'openlineage') {
    const { lineageEvents } = await import('../../lineage/open-lineage.ts');
    const events = lineageEvents(found, { namespace: at.settings.temporal.namespace, store: store.uri });
    return at.out.result(events, () => JSON.stringify(events, null, 2));
  }
  at.out.result(answer === undefined ? found : { answer, ...found }, () =>
    [...(answer === undefined ? [] : [answerText(answer), '']), formatLineage(found)].join('\n'),
  );
}

/** A file that is there stands for its content; what is written as only a file can be, and is not there, is a file that is missed. */
async function subjectOf(text: string): Promise<string> {
  const isFile = await stat(text).then(
    (found) => found.isFile(),
    () => false,
  );
  if (isFile) return (await digestFile(text)).sha256;
  if (/^[.~/]|^[^=@]*\.[a-z]\w*$/i.test(text)) throw misuse(`there is no file ${text} here`);
  return text;
}
