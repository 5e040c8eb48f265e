import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Json } from '../../core/artifact.ts';
import { compare as compareVersions } from '../../core/compare.ts';
import type { Compared, Comparison } from '../../core/compare.ts';
import type { Gain } from '../../core/registry-entry.ts';
import { writeComparisonPage } from '../comparison-page.ts';
import type { ComparisonPage } from '../comparison-page.ts';
import { table } from '../table.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import { figure, minute, signed, valueText, windowText } from '../words.ts';
import type { Workplace } from '../workplace.ts';

export function compareCommand(program: Command): void {
  verb(
    program,
    'compare <version> <other>',
    'two versions side by side, and a page about both: metrics, baselines, gains, curves, slices, parameters, windows and specs',
    [
      'compare movie-recommender@champion movie-recommender@5',
      'compare movie-recommender/month=10@champion movie-recommender/month=12@champion --json',
    ],
  ).action((a: string, b: string, flags: VerbOptions) => perform(flags, (at) => compare(at, a, b)));
}

async function compare(at: Workplace, first: string, second: string): Promise<void> {
  const sides = await Promise.all([first, second].map((text) => sideOf(at, text)));
  const [a, b] = sides as [Compared, Compared];
  const comparison = compareVersions(a, b);
  // What a program reads is only what the log says; the page is for people.
  const page = at.out.json ? undefined : await writeComparisonPage(at, a, b, comparison);
  at.out.result({ versions: sides.map(({ reference, version, trainer }) => ({ reference, trainer, ...version })), ...comparison }, () =>
    [comparisonText(a, b, comparison), ...(page ? [pageText(page, b.reference)] : [])].join('\n\n'),
  );
}

async function sideOf(at: Workplace, text: string): Promise<Compared> {
  const { registry, blobs } = await at.kept();
  const { reference, version } = await registry.version(text);
  const [{ trainer }, spec] = await Promise.all([
    registry.manifest(version.package),
    // An old version's spec may be gone from the store; the rest is worth telling all the same.
    blobs
      .head(version.spec.sha256)
      .then(async (there) => (there === undefined ? null : (JSON.parse(await readFile(await blobs.open(version.spec.sha256), 'utf8')) as Json))),
  ]);
  return { reference, version, trainer, spec };
}

function comparisonText(a: Compared, b: Compared, { sides, sameExam, metrics, gains, differences }: Comparison): string {
  const about = (of: (side: Compared) => string): readonly string[] => [of(a), of(b)];
  const rows = [
    ['status', ...about(({ version }) => version.status)],
    ['verdict', ...about(({ version }) => version.verdict?.name ?? '')],
    ['trainer', ...about(({ trainer }) => trainer.name)],
    ['window', ...about(({ version }) => windowText(version.window))],
    ['rows', ...about(({ version }) => String(version.rows))],
    ['trained (UTC)', ...about(({ version }) => minute(version.at))],
  ];
  const scores = metrics.map(({ of, metric, values: [x, y] }) => [
    of,
    metric,
    figure(x ?? undefined),
    figure(y ?? undefined),
    x === null || y === null ? '' : signed(y - x),
  ]);
  return [
    table(['', ...sides], rows),
    table(['of', 'metric', `>${sides[0]}`, `>${sides[1]}`, '>difference'], scores),
    sameExam ? '' : 'They sat exams on different rows: the figures of one do not measure the other.',
    gains.length === 0
      ? ''
      : table(
          ['gain over', 'metric', ...sides],
          gains.map(({ over, metric, values }) => [over, metric, ...values.map(gainText)]),
        ),
    differences.length === 0
      ? 'Parameters, window, rows, sources and spec are the same.'
      : table(
          ['differs in', ...sides],
          differences.map(({ path, before, after }) => [path, valueText(before), valueText(after)]),
        ),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Where the page is, and what it is for: the second's gains with their intervals, where both sat one exam. */
function pageText({ path, gains }: ComparisonPage, of: string): string {
  const rows = Object.entries(gains ?? {}).map(([metric, { value, low, high }]) => [metric, signed(value), `${signed(low)} to ${signed(high)}`]);
  return [...(rows.length === 0 ? [] : [table([`what ${of} gains, paired`, '>gain', 'interval'], rows)]), `page: ${path}`].join('\n\n');
}

const gainText = (gain: Gain | null): string => (gain === null ? '–' : `${signed(gain.value)} (${signed(gain.low)} to ${signed(gain.high)})`);
