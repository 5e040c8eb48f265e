import type { TrainOutcome } from '../core/run.ts';

/** What the web UI shows of a training run, in Markdown: the verdict first, then the figures that it rests on. */
export function describeTraining(outcome: TrainOutcome): string {
  const title = `### ${outcome.model}, ${outcome.segment}: ${outcome.outcome}`;
  if (outcome.outcome === 'unchanged') return `${title}\n\nVersion ${outcome.version} stays. ${outcome.reason}`;
  const { verdict } = outcome;
  return [
    title,
    `Version **${outcome.version}** is **${verdict.name}**: ${verdict.metric} ${verdict.value.toFixed(4)}.`,
    verdict.reasons.map((reason) => `- ${reason}`).join('\n'),
    gains(verdict.gains),
    `Package \`${outcome.package.sha256.slice(0, 12)}\`, report \`${outcome.report.sha256.slice(0, 12)}\`, window ${outcome.window.from} to ${outcome.window.to}.`,
  ].join('\n\n');
}

function gains(list: readonly { readonly over: string; readonly value: number; readonly low: number; readonly high: number }[]): string {
  if (list.length === 0) return '';
  const lines = list.map(({ over, value, low, high }) => `| ${over} | ${signed(value)} | ${signed(low)} to ${signed(high)} |`);
  return ['| gain over | value | interval |', '|---|---|---|', ...lines].join('\n');
}

const signed = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
