import { html, type Html } from '../html.ts';
import { captioned } from '../plot.ts';
import { candidatesPlot, curvePlot, importancePlot } from '../plots.ts';
import type { Importance, ReportInput } from '../report-input.ts';
import { table } from '../table.ts';
import { figure, isRecord, parametersLine, plain } from '../wording.ts';

/** A plot stays readable with this many candidates; the table has them all. */
const plotted = 24;

/** What was fitted, what it was chosen from, and how the fit went. */
export async function trainingSection({ trainer, candidates = [], curve = [], evaluation, metrics, importance }: ReportInput): Promise<Html> {
  const sign = metrics?.[evaluation.metric]?.better === 'lower' ? -1 : 1;
  const ranked = candidates.toSorted((a, b) => sign * (b.value - a.value));
  const title = metrics?.[evaluation.metric]?.title ?? evaluation.metric;
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
      html`<dl class="settings">
        ${Object.entries(trainer.parameters).map(
          ([name, value]) =>
            html`<div>
              <dt>${name}</dt>
              <dd>${plain(value)}</dd>
            </div> `,
        )}
      </dl>`
    }
    ${
      ranked.length > 1 &&
      html`${captioned(
        await candidatesPlot(ranked.slice(0, plotted), title),
        html`The candidates by their ${title} on the validation rows; the filled one was
        chosen.${ranked.length > plotted && ` The ${plotted} best of ${ranked.length}.`}`,
      )}
      ${table(
        'All candidates, best first.',
        ['trainer', 'parameters', `${title}, validation`, ''],
        ranked.map(({ trainer: name, parameters, value, chosen }) => [
          name,
          parametersLine(parameters),
          figure(value),
          chosen && html`<b>chosen</b>`,
        ]),
        'llrl',
      )}`
    }
    ${points.length > 1 && captioned(await curvePlot(points), 'The learning curve, as the trainer told it while it worked.')}
    ${importance && (await importancePart(importance))}`;
}

/** Most models rest on a few features: the table of a wide one would say little. */
const featuresShown = 25;

async function importancePart({ by, features }: Importance): Promise<Html | undefined> {
  const sizes = Object.entries(features).map(([name, value]) => ({ name, share: Math.abs(value) }));
  const total = sizes.reduce((sum, { share }) => sum + share, 0);
  if (total === 0) return undefined;
  const ranked = sizes.map(({ name, share }) => ({ name, share: share / total })).toSorted((a, b) => b.share - a.share || (a.name < b.name ? -1 : 1));
  const shown = ranked.slice(0, featuresShown);
  return captioned(
    await importancePlot(shown),
    html`What the examined model’s answers rest on: each feature’s share of
    all${by && `, by ${by}`}.${shown.length < ranked.length && ` The ${featuresShown} first of ${ranked.length}.`}`,
  );
}
