import { html, trusted } from './html.ts';
import type { ReportInput } from './report-input.ts';
import { cardSection } from './sections/card.ts';
import { contendersSection } from './sections/contenders.ts';
import { figuresSection } from './sections/figures.ts';
import { dataSection } from './sections/data.ts';
import { slicesSection } from './sections/slices.ts';
import { trainingSection } from './sections/training.ts';
import { verdictSection } from './sections/verdict.ts';
import { style } from './style.ts';
import { span } from './wording.ts';

export type { Candidate, Floor, Importance, MetricTitle, Origin, ReportInput } from './report-input.ts';

/** Everything is in the file: a reader's browser is told to fetch nothing and to run nothing. */
const policy = "default-src 'none'; style-src 'unsafe-inline'";

/**
 * The report of one model version as one self-contained HTML file: verdict, contenders, slices, training, data and model card.
 * Readable without a script or a network, on paper too. The same input gives the same bytes.
 */
export async function renderReport(input: ReportInput): Promise<string> {
  const { model, segment, version, words, window, trainer } = input;
  const name = `${model}/${segment}${version === undefined ? '' : `@${version}`}`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <title>${name}</title>
        <style>
          ${trusted(style)}
        </style>
      </head>
      <body>
        <header>
          <h1>${model}</h1>
          <p>${version !== undefined && `Version ${version} · `}segment ${segment} · ${words.does} · ${trainer.name} · rows ${span(window)}</p>
        </header>
        <main>
          ${verdictSection(input)} ${await contendersSection(input)} ${await figuresSection(input)} ${await slicesSection(input)}
          ${await trainingSection(input)} ${dataSection(input)} ${cardSection(input)}
        </main>
        <footer>Report of ${name}, made by Perennial from the run's own artifacts.</footer>
      </body>
    </html> `;
  return page.toString();
}
