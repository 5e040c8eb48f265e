import { html } from './html.ts';
import { pageOf } from './page.ts';
import type { ReportInput } from './report-input.ts';
import { cardSection } from './sections/card.ts';
import { contendersSection } from './sections/contenders.ts';
import { dataSection } from './sections/data.ts';
import { figuresSection } from './sections/figures.ts';
import { slicesSection } from './sections/slices.ts';
import { trainingSection } from './sections/training.ts';
import { verdictSection } from './sections/verdict.ts';
import { span } from './wording.ts';

export type { Candidate, Floor, Importance, MetricTitle, Origin, ReportInput } from './report-input.ts';

/**
 * The report of one model version as one self-contained HTML file: verdict, contenders, figures of its exam, slices, training, data and model card.
 * The same input gives the same bytes.
 */
export async function renderReport(input: ReportInput): Promise<string> {
  const { model, segment, version, words, window, trainer } = input;
  const name = `${model}/${segment}${version === undefined ? '' : `@${version}`}`;
  return pageOf(name, {
    header: html`<h1>${model}</h1>
      <p>${version !== undefined && `Version ${version} · `}segment ${segment} · ${words.does} · ${trainer.name} · rows ${span(window)}</p>`,
    main: [
      verdictSection(input),
      await contendersSection(input),
      await figuresSection(input),
      await slicesSection(input),
      await trainingSection(input),
      dataSection(input),
      cardSection(input),
    ],
    footer: `Report of ${name}, made by Perennial from the run's own artifacts.`,
  });
}
