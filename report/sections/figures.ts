import { figureOf } from '../figure-plots.ts';
import { html, type Html } from '../html.ts';
import type { ReportInput } from '../report-input.ts';
import { contendersInOrder } from './contenders.ts';

/** What the kind of task draws of the exam: curves, residuals, confusion, calibration. */
export async function figuresSection(input: ReportInput): Promise<Html | undefined> {
  const { figures = [] } = input.evaluation;
  if (figures.length === 0) return undefined;
  const names = contendersInOrder(input);
  // Of rows without slices there is nothing to compare.
  const telling = figures.filter((figure) => figure.kind !== 'ranges' || figure.rows.length > 1);
  const drawn = await Promise.all(telling.map((figure) => figureOf(figure, names)));
  return html`<h2>The exam in figures</h2>
    <p>The model ${input.words.does}. Curves, residuals and shares are those of the held-out ${input.words.unit[1]}.</p>
    <div class="figures">${drawn}</div>`;
}
