import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Subject } from '../../data/find-subject.ts';
import { datasetOf, erase as eraseFrom, type Erased, planErase } from '../../registry/erase.ts';
import { interruptible } from '../interruptible.ts';
import { misuse } from '../misuse.ts';
import { contentsWith } from '../seek-subject.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { plural, sizeText } from '../words.ts';
import type { Workplace } from '../workplace.ts';

interface EraseFlags extends VerbOptions {
  readonly subject?: readonly Subject[];
  readonly dataset?: string;
  readonly reason?: string;
  readonly retire?: boolean;
  readonly yes?: boolean;
}

export function eraseCommand(program: Command): void {
  verb(program, 'erase', 'erase a person or a dataset, and tell which versions learned from it', [
    'erase --subject userId=42                              # what holds them, what would go, which versions learned from it',
    'erase --subject userId=42 --reason "request 17" --yes',
    'erase --subject userId=42 user_id=42 --reason "request 17" --retire --yes',
    'erase --dataset ratings --reason "the licence ended" --yes',
  ])
    .option('--subject <column=value...>', 'whoever has this value in a column of this name, in any of its spellings', collectSubject)
    .option('--dataset <source>', 'a source by its name, or whatever was read or made by its SHA-256')
    .option('--reason <text>', 'why; it is kept in the logs for ever, so name nobody')
    .option('--retire', 'retire the versions that learned from it, and erase their models, too')
    .option('--yes', 'erase it; without this it is only told')
    .action((flags: EraseFlags) => perform(flags, (at) => interruptible((signal) => erase(at, flags, signal))));
}

async function erase(at: Workplace, { subject, dataset, reason, retire = false, yes = false }: EraseFlags, signal: AbortSignal): Promise<number> {
  if ((subject === undefined) === (dataset === undefined)) throw misuse('say what to erase: either --subject <column=value> or --dataset <source>');
  if (yes && (reason === undefined || reason.trim() === '')) throw misuse('an erasure needs a reason that others will read: --reason "…"');
  if (subject?.some(({ value }) => reason?.includes(value) === true))
    throw misuse('the reason names whom it is about, and a log is for ever: say it otherwise');
  const { store, registry } = await at.kept();
  const origins = dataset === undefined ? await contentsWith(at, subject!, signal) : await datasetOf(store, dataset);
  const options = { origins, retire, reason: reason ?? '' };
  const erased =
    yes && origins.size > 0 ? await eraseFrom(store, registry, options, { by: at.by, run: null }) : await planErase(store, registry, options);
  // Copies that this machine made of what lies elsewhere.
  if (yes) for (const sha256 of erased.content) await rm(join(at.settings.home, 'work', 'blobs', sha256), { force: true });
  at.out.result({ ...erased, done: yes }, () => text(erased, yes, store.uri));
  return 0;
}

function text({ erasure, content, bytes, versions }: Erased, done: boolean, place: string): string {
  if (content.length + versions.length === 0) return `nothing in ${place} holds it`;
  const what = `${plural(content.length, 'content')} in ${place}: ${sizeText(bytes)}`;
  const standing = versions.filter(({ stands }) => stands);
  return [
    done ? `erased ${what} (erasure ${erasure})` : `to erase: ${what}`,
    ...versions.map(({ reference, status, stands }) => `  ${reference}  ${status}${stands ? ', learned from it and still stands' : ''}`),
    standing.length === 0 ? '' : `${plural(standing.length, 'version')} can still answer. Train anew from cleaned sources, or add --retire`,
    done
      ? 'The sources themselves, backups and other machines’ caches are yours to clean: see docs/erasure.md'
      : 'Nothing was erased yet: add --reason "…" --yes',
  ]
    .filter((line) => line !== '')
    .join('\n');
}

function collectSubject(written: string, before: readonly Subject[] = []): readonly Subject[] {
  const [, column, value] = /^([^=]+)=(.+)$/s.exec(written) ?? [];
  if (column === undefined || value === undefined) throw new InvalidArgumentError('write <column>=<value>, such as userId=42.');
  return [...before, { column, value }];
}
