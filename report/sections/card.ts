import type { SplitSpec } from '../../core/model-spec.ts';
import { html, type Content, type Html } from '../html.ts';
import type { ReportInput } from '../report-input.ts';
import { terms } from '../table.ts';
import { metricsInOrder, titleOf } from './contenders.ts';
import { figure, parametersLine, percent, plural, span } from '../wording.ts';

/** The model card: what the model is for, what made it, how it was examined, and what the figures do not show. */
export function cardSection(input: ReportInput): Html {
  const { model, segment, words, trainer, window, evaluation, split, refit, intendedUse, lineage, rows, group } = input;
  const parameters = parametersLine(trainer.parameters);
  const own = evaluation.contenders['challenger']?.metrics ?? {};
  const results = metricsInOrder(input)
    .flatMap((metric) => (own[metric] ? [`${titleOf(input, metric)} ${figure(own[metric].value)}`] : []))
    .join(' · ');
  return html`<h2>Model card</h2>
    ${terms([
      [
        'Intended use',
        intendedUse ??
          `It ${words.does}, for requests ${segment === 'all' ? 'of any segment' : `of the segment ${segment}`} like those that the rows of its window stand for. Other uses were not examined.`,
      ],
      ['Training data', `${rows?.['rows'] === undefined ? 'Rows' : plural(rows['rows'], 'row')} of ${model}, segment ${segment}, ${span(window)}.`],
      ['Algorithm', [trainer.name, parameters && ` (${parameters})`]],
      ['Served form', 'One self-contained ONNX model with its manifest; preprocessing is part of the graph.'],
      [
        'Exam',
        [
          split ? protocol(split) : 'Rows that were held out.',
          ` ${plural(evaluation.units, ...words.unit)}, ${plural(evaluation.folds.length, 'fold')}.`,
        ],
      ],
      ...(results === '' ? [] : [['Results', results] as const]),
      [
        'Uncertainty',
        `Bootstrap over ${words.unit[1]} at ${percent(evaluation.confidence)}${group === undefined ? '' : `; ${words.unit[1]} of one ${group} are drawn together`}. Gains are paired by ${words.unit[0]}.`,
      ],
    ])}
    <h3>Limits</h3>
    <ul>
      ${limits(input).map((limit) => html`<li>${limit}</li> `)}
    </ul>
    ${
      refit === 'all' &&
      html`<h3>The served model was fitted once more</h3>
        <p>
          After the verdict the served model was fitted on all rows, validation and test rows included, with the parameters above. Every figure here
          is that of the examined model, which had not seen the test rows; the served one has no exam of its own.
        </p>`
    }
    ${
      lineage &&
      html`<h3>Traces</h3>
        ${terms(Object.entries(lineage).map(([name, value]) => [name, html`<span class="digest">${value}</span>`]))}`
    }`;
}

function protocol(split: SplitSpec): string {
  const words = {
    'last-per': (by: SplitBy<'last-per'>) =>
      `Last ${by.test}: the test part is the last ${plural(by.test, 'row')} of each ${by.column} by time, the validation part the ${by.validation} before.`,
    time: (by: SplitBy<'time'>) =>
      `Time: the test part is the last ${by.test}, the validation part the ${by.validation} before.${by.gap === undefined ? '' : ` Of ${by.gap} before each of them no row is used.`}`,
    share: (by: SplitBy<'share'>) =>
      `Share: the test part is ${Math.round(100 * by.test)} % of ${by.column === undefined ? 'the rows' : `the values of ${by.column}`} by their hash, the validation part ${Math.round(100 * by.validation)} %.`,
    'rolling-origin': (by: SplitBy<'rolling-origin'>) =>
      `Rolling origin: from ${by.from}${by.to === undefined ? '' : ` to ${by.to}`}, every ${by.every}, trained on everything before the origin and examined on the ${by.horizon} after it; the validation part is the last ${by.horizon} before.${by.minHistory ? ` Who has fewer than ${by.minHistory} earlier rows is not examined.` : ''}`,
  } satisfies { [By in SplitSpec['by']]: (split: SplitBy<By>) => string };
  return (words[split.by] as (split: SplitSpec) => string)(split);
}

type SplitBy<By extends SplitSpec['by']> = Extract<SplitSpec, { by: By }>;

function limits({ evaluation, split, window, words: { unit, limits: own } }: ReportInput): readonly Content[] {
  return [
    split?.by === 'last-per' &&
      `The exam looks into the future: the last rows of each ${split.column} are held out, but later rows of others are in its training rows. Its figures compare contenders; they do not forecast how well the model does tomorrow.`,
    split?.by === 'rolling-origin' &&
      `The folds are not independent: a ${unit[0]} that is in several counts once in each, and a later fold is trained on the rows of earlier ones.`,
    split?.by === 'share' && 'The exam is drawn from the same time as the training rows: it does not show how the model ages.',
    evaluation.units < 200 && `Only ${plural(evaluation.units, ...unit)} were examined: small differences are invisible to this exam.`,
    ...own,
    span(window) !== 'of any time' && `Nothing after ${span(window).replace(/^.* to /, '')} is known to the model.`,
  ].filter(Boolean);
}
