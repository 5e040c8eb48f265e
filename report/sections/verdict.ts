import { html, trusted, type Html } from '../html.ts';
import type { ReportInput } from '../report-input.ts';
import { count, figure, signed, verdictWords } from '../wording.ts';

/** The answer first: what was decided, why, and the figures that it rests on. */
export function verdictSection({ verdict, evaluation, rows, metrics, words: { unit } }: ReportInput): Html {
  const verdictIs = verdictWords[verdict.name];
  const own = evaluation.contenders['challenger']?.metrics[verdict.metric];
  const confidence = `${Number((evaluation.confidence * 100).toFixed(2))} % interval`;
  const narrowest = evaluation.gains.toSorted((a, b) => a.low - b.low)[0];
  const folds = evaluation.folds.length;
  return html`<section class="verdict ${verdictIs.tone}">
      <h2>${verdictIs.title}</h2>
      <p>${verdictIs.meaning}</p>
      ${
        verdict.reasons.length > 0 &&
        html`<ul${verdict.reasons.length > 8 && trusted(' class="many"')}>
          ${verdict.reasons.map((reason) => html`<li>${reason}</li>`)}
        </ul>`
      }
    </section>
    <dl class="key">
      <div>
        <dt>${metrics?.[verdict.metric]?.title ?? verdict.metric} on held-out rows</dt>
        <dd>${figure(verdict.value)}${own && html`<small>${figure(own.low)} to ${figure(own.high)}, ${confidence}</small>`}</dd>
      </div>
      ${
        narrowest &&
        html`<div>
          <dt>gain over ${narrowest.over}, the least sure one</dt>
          <dd>${signed(narrowest.value)}<small>${signed(narrowest.low)} to ${signed(narrowest.high)}, paired</small></dd>
        </div>`
      }
      <div>
        <dt>${unit[1]} examined</dt>
        <dd>${count(evaluation.units)}<small>${folds > 1 ? `over ${folds} folds` : 'in one fold'}</small></dd>
      </div>
      ${Object.entries(rows ?? {})
        .slice(0, 1)
        .map(
          ([name, n]) =>
            html`<div>
              <dt>${name === 'rows' ? name : `rows, ${name}`}</dt>
              <dd>${count(n)}</dd>
            </div>`,
        )}
    </dl>`;
}
