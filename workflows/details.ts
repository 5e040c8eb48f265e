import type { DecideOutcome, TrainOutcome } from '../core/run.ts';
import type { DecideRequest } from './decide-start.ts';

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

/** What the web UI shows of a version that awaits a decision: who may decide until when, how, and on what. */
export function describeWaiting({ subject, approval, verdict }: DecideRequest, deadlineMs: number, reminders: number): string {
  const { model, segment, version, expect } = subject;
  const reminder = reminders === 0 ? '' : ` **Reminder ${reminders}.**`;
  return [
    `### ${model}, ${segment}: v${version} awaits a decision`,
    `The role **${approval.role}** decides until ${new Date(deadlineMs).toISOString().slice(0, 16).replace('T', ' ')} UTC.${reminder}`,
    `\`perennial approve ${model}/${segment}@${version}\` or \`perennial reject ${model}/${segment}@${version} --reason …\``,
    `It is **${verdict.name}**, judged against ${expect === null ? 'no champion' : `version ${expect}`}: ${verdict.metric} ${verdict.value.toFixed(4)}.`,
    verdict.reasons.map((reason) => `- ${reason}`).join('\n'),
    gains(verdict.gains),
    `Package \`${subject.package.slice(0, 12)}\`, evaluation \`${subject.evaluation.slice(0, 12)}\`.`,
  ].join('\n\n');
}

export function describeDecision({ subject }: DecideRequest, { outcome, decision, by, reason, entry }: DecideOutcome): string {
  const { model, segment, version } = subject;
  return `### ${model}, ${segment}: v${version} is ${outcome}\n\n**${decision}** by ${by} (entry ${entry}): ${reason}`;
}

function gains(list: readonly { readonly over: string; readonly value: number; readonly low: number; readonly high: number }[]): string {
  if (list.length === 0) return '';
  const lines = list.map(({ over, value, low, high }) => `| ${over} | ${signed(value)} | ${signed(low)} to ${signed(high)} |`);
  return ['| gain over | value | interval |', '|---|---|---|', ...lines].join('\n');
}

const signed = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
