import { table } from '../table.ts';
import { figure, gainText, signed } from '../words.ts';
import type { DemoResult } from './result.ts';

/** What the demo found, as text for a terminal. */
export function summary(result: DemoResult): string {
  return [champions(result), protocolTables(result), monthTable(result), recommendations(result)].filter((part) => part !== '').join('\n\n');
}

function champions({ models }: DemoResult): string {
  const rows = Object.entries(models).flatMap(([model, { segments }]) =>
    Object.entries(segments).map(([segment, { champion, rejected }]) =>
      champion === null
        ? [model, segment, 'no champion', rejected === undefined ? '' : `v${rejected.version} is ${rejected.verdict}`, '', '']
        : [
            model,
            segment,
            `v${champion.version} ${champion.digest.slice(0, 8)}`,
            champion.verdict ?? '',
            figure(champion.metrics['ndcg@10']),
            champion.gains.map(gainText).join('; '),
          ],
    ),
  );
  return titled('Champions', table(['model', 'segment', 'version', 'verdict', 'nDCG@10', 'gain over (95 % interval)'], rows));
}

function protocolTables({ protocols, protocolGains }: DemoResult): string {
  return Object.entries(protocols)
    .map(([protocol, contenders]) => {
      const rows = Object.entries(contenders).map(([name, metrics]) => {
        const gain = protocolGains[protocol]?.find(({ over }) => over === name);
        return [
          name,
          ...['ndcg@10', 'recall@10', 'hr@10', 'map@10'].map((metric) => figure(metrics[metric])),
          gain === undefined ? '' : `${signed(gain.low)} to ${signed(gain.high)}`,
        ];
      });
      return titled(
        `Protocol ${protocol}${notes[protocol] ?? ''}`,
        table(['', 'nDCG@10', 'recall@10', 'HR@10', 'MAP@10', 'recommender’s gain over it'], rows),
      );
    })
    .join('\n\n');
}

const notes: Readonly<Record<string, string>> = {
  'last-5': ' (other viewers’ later ratings are in its training rows)',
  'rolling-origin': ' (no look into the future)',
};

function monthTable({ months }: DemoResult): string {
  const segments = Object.keys(months);
  if (segments.length === 0) return '';
  const rows = segments.map((exam) => [
    `exam of ${exam}`,
    ...segments.map((version) => figure(months[exam]!.versions[version])),
    months[exam]!.gains.map(({ low, high }) => `${signed(low)} to ${signed(high)}`).join('; '),
  ]);
  return titled(
    'Each month’s version on each month’s exam, nDCG@10',
    table(['', ...segments.map((segment) => `${segment} version`), 'own month’s gain'], rows),
  );
}

function recommendations({ recommendations: byUser }: DemoResult): string {
  if (Object.keys(byUser).length === 0) return '';
  return titled(
    'Next for',
    Object.entries(byUser)
      .map(([user, items]) => `viewer ${user}: ${items.map(({ title }) => title).join(' · ')}`)
      .join('\n'),
  );
}

/** What to look at and type next. */
export function farewell(
  { page, temporal }: DemoResult,
  { home, isDefaultHome }: { readonly home: string; readonly isDefaultHome: boolean },
): string {
  const command = isDefaultHome ? 'npx perennial' : `PERENNIAL_HOME=${home} npx perennial`;
  return `
Recommendations  ${page}
Temporal         ${temporal}

In another terminal:
  ${command} versions movie-recommender
  ${command} lineage movie-recommender@champion
  ${command} train movie-recommender --set train.0.with.neighbours=100
  ${command} explain-cache movie-recommender

Ctrl-C stops everything; what was made stays in ${home}.`;
}

/** What a Ctrl-C leaves, and how to go on. */
export function kept({ home, data, isClone }: { readonly home: string; readonly data: string | undefined; readonly isClone: boolean }): string {
  const options = data === undefined ? '' : `${isClone ? ' --' : ''} --data ${data}`;
  return `what was made stays in ${home}, and open runs wait there: \`${isClone ? 'npm run demo' : 'npx perennial demo'}${options}\` goes on`;
}

const titled = (title: string, text: string) => `${title}\n${text.replaceAll(/^/gm, '  ')}`;
