import type { TrainOutcome } from '../core/run.ts';
import type { Gain, Verdict } from '../core/registry-entry.ts';
import { styled } from './output.ts';
import { fields, table } from './table.ts';
import { figure, short, signed, windowText } from './words.ts';

export interface OutcomeLinks {
  readonly run?: string;
  readonly report?: string;
}

/** How a training ended: verdict first, then the figures that it rests on. */
export function outcomeText(outcome: TrainOutcome, links: OutcomeLinks = {}): string {
  const place = `${outcome.model}/${outcome.segment}`;
  if (outcome.outcome === 'unchanged') {
    const title = `${place} is unchanged: version ${outcome.version} stays, and nothing was added.`;
    return [title, outcome.reason, linksText(links)].filter((part) => part !== '').join('\n');
  }
  const { verdict, version, window } = outcome;
  const title = `${place} v${version} is ${styled(outcome.outcome === 'promoted' ? 'green' : 'yellow', `${outcome.outcome}: ${verdict.name}`)}`;
  const facts = fields([
    [verdict.metric, figure(verdict.value)],
    ['window', windowText(window)],
    ['package', short(outcome.package.sha256)],
  ]);
  const next = outcome.outcome === 'awaiting-decision' ? `It awaits a decision: perennial approve ${place}@${version}, or reject` : '';
  return [title, verdictText(verdict), facts, next, linksText(links)].filter((part) => part !== '').join('\n\n');
}

/** Reasons and gains. */
export function verdictText({ reasons, gains }: Pick<Verdict, 'reasons' | 'gains'>): string {
  return [reasons.map((reason) => `- ${reason}`).join('\n'), gainsText(gains)].filter((part) => part !== '').join('\n\n');
}

export function gainsText(gains: readonly Gain[]): string {
  if (gains.length === 0) return '';
  const rows = gains.map(({ metric, over, value, low, high }) => [over, metric, signed(value), `${signed(low)} to ${signed(high)}`]);
  return table(['gain over', 'metric', '>gain', 'interval'], rows);
}

function linksText({ run, report }: OutcomeLinks): string {
  return fields([...(report === undefined ? [] : [['report', report] as const]), ...(run === undefined ? [] : [['run', run] as const])]);
}
