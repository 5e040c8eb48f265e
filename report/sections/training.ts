import { html, type Html } from '../html.ts';
import { captioned } from '../plot.ts';
import { candidatesPlot, curvePlot } from '../plots.ts';
import type { ReportInput } from '../report-input.ts';
import { table } from '../table.ts';
import { figure, isRecord, parametersLine, plain } from '../wording.ts';

/** A plot stays readable with this many candidates; the table has them all. */
const plotted = 24;

/** What was fitted, what it was chosen from, and how the fit went. */
export async function trainingSection({ trainer, candidates = [], curve = [], evaluation, metrics }: ReportInput): Promise<Html> {
  const sign = metrics?.[evaluation.metric]?.better === 'lower' ? -1 : 1;
  const ranked = candidates.toSorted((a, b) => sign * (b.value - a.value));
  const points = curve.filter((point) => Object.keys(point.metrics).length > 0);
  return html`<h2>Choice and training</h2>
    <p>
      The model is made by
      <b>${trainer.name}</b
      >${candidates.length > 1 && `, chosen on the validation rows from ${candidates.length} candidates; the test rows had no part in the choice`}.
    </p>
    ${
      isRecord(trainer.parameters) &&
      Object.keys(trainer.parameters).length > 0 &&
      table(
        'Parameters, with every choice written out.',
        ['parameter', 'value'],
        Object.entries(trainer.parameters).map(([name, value]) => [name, plain(value)]),
      )
    }
    ${
      ranked.length > 1 &&
      html`${captioned(
        await candidatesPlot(ranked.slice(0, plotted), evaluation.metric),
        html`The candidates by their ${evaluation.metric} on the validation rows; the filled one was
        chosen.${ranked.length > plotted && ` The ${plotted} best of ${ranked.length}.`}`,
      )}
      ${table(
        'All candidates, best first.',
        ['trainer', 'parameters', `${evaluation.metric}, validation`, ''],
        ranked.map(({ trainer: name, parameters, value, chosen }) => [
          name,
          parametersLine(parameters),
          figure(value),
          chosen && html`<b>chosen</b>`,
        ]),
        'llrl',
      )}`
    }
    ${points.length > 1 && captioned(await curvePlot(points), 'The learning curve, as the trainer told it while it worked.')}`;
}
