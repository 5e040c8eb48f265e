import type { Command } from 'commander';
import { MlError } from '../../core/errors.ts';
import type { PackageManifest } from '../../core/manifest.ts';
import type { SegmentState, VersionState } from '../../core/registry-entry.ts';
import { allRows } from '../../core/segment.ts';
import type { Registry } from '../../registry/registry.ts';
import { parseMoment, tellAliasesAt, tellHistory } from '../alias-history.ts';
import { decisionText, toApprove } from '../awaiting.ts';
import { misuse, unknownModel } from '../misuse.ts';
import { gainsText } from '../outcome.ts';
import { styled } from '../output.ts';
import { parseWritten } from '../reference.ts';
import { reportAddress } from '../report-address.ts';
import { fields, table } from '../table.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { count, figure, minute, short, windowText } from '../words.ts';
import type { Workplace } from '../workplace.ts';

interface VersionsFlags extends VerbOptions {
  readonly history?: boolean;
  /** Milliseconds since 1970. */
  readonly at?: number;
}

export function versionsCommand(program: Command): void {
  verb(program, 'versions [model]', 'list versions with verdict, metrics and aliases; or tell all of one version', [
    'versions',
    'versions movie-recommender',
    'versions movie-recommender/month=10 --json',
    'versions movie-recommender@champion',
    'versions movie-recommender/month=10@2',
    'versions movie-recommender --history',
    'versions movie-recommender --at 2026-11-03T14:03',
  ])
    .option('--history', 'every change of champion, previous and anchor: who, when, why, and how that is known')
    .option('--at <time>', 'who was champion then, in UTC: 2026-11-03T14:03', parseMoment)
    .action((model: string | undefined, flags: VersionsFlags) => perform(flags, (at) => versions(at, model, flags)));
}

async function versions(at: Workplace, text: string | undefined, { history = false, at: moment }: VersionsFlags): Promise<void> {
  const looksBack = history || moment !== undefined;
  if (text === undefined) return looksBack ? Promise.reject(misuse('whose history? name a model')) : champions(at);
  const written = parseWritten(text);
  if (written.at !== undefined) {
    if (looksBack) throw misuse(`"${text}" names one version: leave "@${written.at}" out, the history is that of its segment`);
    return oneVersion(at, text);
  }
  const states = await statesOf(at, written.model, written.segment);
  if (moment !== undefined) return tellAliasesAt(at, states, moment);
  if (history) return tellHistory(at, states);
  const segments = Object.fromEntries(
    states.map(({ segment, champion, previousChampion, anchor, versions: list }) => [
      segment,
      { champion, previous: previousChampion, anchor, versions: list },
    ]),
  );
  at.out.result({ model: written.model, segments }, () => states.map(stateText).join('\n\n'));
}

async function statesOf(at: Workplace, model: string, segment?: string): Promise<readonly SegmentState[]> {
  const { registry, store } = await at.kept();
  const models = await registry.models();
  if (!models.includes(model)) throw unknownModel(model, { [store.uri]: models });
  const segments = await registry.segments(model);
  if (segment !== undefined && !segments.includes(segment)) await registry.version(`${model}/${segment}`);
  return Promise.all((segment === undefined ? inOrder(segments) : [segment]).map((each) => registry.state({ model, segment: each })));
}

/** That of all rows first, then by number where there are numbers. */
const inOrder = (segments: readonly string[]): string[] =>
  segments.toSorted((a, b) => Number(b === allRows) - Number(a === allRows) || a.localeCompare(b, 'en', { numeric: true }));

async function champions(at: Workplace): Promise<void> {
  const { registry } = await at.kept();
  const states = (await Promise.all((await registry.models()).map((model) => statesOf(at, model)))).flat();
  const models: Record<string, object[]> = {};
  for (const { model, segment, champion, versions: list } of states) (models[model] ??= []).push({ segment, champion, versions: list.length });
  at.out.result({ models }, () => {
    if (states.length === 0) return 'no model yet: `perennial train <model>` makes a version';
    return table(
      ['model', 'segment', 'champion', '>versions', 'metric', 'window', 'trained (UTC)'],
      states.map(({ model, segment, champion, versions: list }) => {
        const reigning = list.find(({ version }) => version === champion);
        const rest = reigning === undefined ? ['', '', ''] : [metricText(reigning), windowText(reigning.window), minute(reigning.at)];
        return [model, segment, champion === null ? 'none' : `v${champion}`, String(list.length), ...rest];
      }),
    );
  });
}

function stateText({ model, segment, versions: list }: SegmentState): string {
  const title = styled('bold', `${model}/${segment}`);
  if (list.length === 0) return `${title}\nno version yet`;
  const rows = list
    .toReversed()
    .map((it) => [
      `v${it.version}`,
      statusText(it),
      it.verdict?.name ?? '',
      metricText(it),
      windowText(it.window),
      count(it.rows),
      minute(it.at),
      it.by,
      styled('dim', short(it.package.sha256)),
    ]);
  const awaiting = list.filter(({ status }) => status === 'awaiting-decision').map((it) => `\n${toApprove(model, segment, it)}`);
  return `${title}\n${table(['version', 'status', 'verdict', 'metric', 'window', '>rows', 'trained (UTC)', 'by', 'package'], rows)}${awaiting.join('')}`;
}

/** With what is left of it, where that is not all. */
function statusText({ status, ruling, pruned, erased }: VersionState): string {
  const standing = status === 'champion' ? styled('green', status) : status === 'registered' ? (ruling?.decision ?? '') : status;
  return [standing, pruned === undefined ? '' : 'pruned', erased === undefined ? '' : 'erased from'].filter((part) => part !== '').join(', ');
}

const metricText = ({ verdict }: VersionState): string => (verdict === undefined ? '' : `${verdict.metric} ${figure(verdict.value)}`);

async function oneVersion(at: Workplace, text: string): Promise<void> {
  const { registry } = await at.kept();
  const { model, segment, reference, version: it } = await registry.version(text);
  // A package may be gone; the log still tells the rest.
  const trainer = (await manifestIfThere(registry, it))?.trainer ?? null;
  const report = await reportAddress(at, { model, segment, version: it.version, report: it.report });
  at.out.result({ reference, model, segment, trainer, reportAddress: report, ...it }, () => {
    const metrics = [...new Set([...Object.keys(it.metrics), ...Object.values(it.baselines).flatMap(Object.keys)])];
    const contenders = [[reference, it.metrics] as const, ...Object.entries(it.baselines)];
    return [
      `${styled('bold', reference)}  ${it.status}${it.verdict === undefined ? '' : `, judged ${it.verdict.name}`}`,
      (it.verdict?.reasons ?? []).map((reason) => `- ${reason}`).join('\n'),
      fields([
        ['trainer', trainer === null ? 'not in the store any more' : `${trainer.name} ${JSON.stringify(trainer.parameters)}`],
        ['window', `${windowText(it.window)}, ${count(it.rows)} rows`],
        ['trained', `${minute(it.at)} UTC by ${it.by}${it.run === null ? '' : ` in ${it.run.workflowId} ${it.run.runId}`}`],
        ['package', it.package.sha256],
        ...(it.ruling === undefined ? [] : [['decision', decisionText(it.ruling)] as const]),
        ...(it.pruned === undefined ? [] : [['pruned', `${minute(it.pruned.at)} UTC by ${it.pruned.by}: ${it.pruned.reason}`] as const]),
        ...(it.erased ?? []).map((each) => ['erased', `${minute(each.at)} UTC by ${each.by}, ${each.erasure}: ${each.reason}`] as const),
        ['report', report ?? 'not in the store any more'],
      ]),
      table(
        ['', ...metrics.map((metric) => `>${metric}`)],
        contenders.map(([name, values]) => [name, ...metrics.map((metric) => figure(values[metric]))]),
      ),
      gainsText(it.verdict?.gains ?? []),
      it.status === 'awaiting-decision' ? toApprove(model, segment, it) : '',
    ]
      .filter((part) => part !== '')
      .join('\n\n');
  });
}

async function manifestIfThere(registry: Registry, version: VersionState): Promise<PackageManifest | undefined> {
  if (version.pruned === undefined && version.erased === undefined) return registry.manifest(version.package);
  try {
    return await registry.manifest(version.package);
  } catch (error) {
    if (error instanceof MlError && error.code === 'ArtifactMissing') return undefined;
    throw error;
  }
}
