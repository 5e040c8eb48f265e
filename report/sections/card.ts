import type { SplitSpec } from '../../core/model-spec.ts';
import { html, type Content, type Html } from '../html.ts';
import type { ReportInput } from '../report-input.ts';
import { terms } from '../table.ts';
import { parametersLine, percent, plural } from '../wording.ts';

/** The model card: what the model is for, what made it, how it was examined, and what the figures do not show. */
export function cardSection(input: ReportInput): Html {
  const { model, segment, task, trainer, window, evaluation, split, refit, intendedUse, lineage } = input;
  const parameters = parametersLine(trainer.parameters);
  return html`<h2>Model card</h2>
    ${terms([
      [
        'Intended use',
        intendedUse ??
          `Answers ${task} requests ${segment === 'all' ? 'of any segment' : `of the segment ${segment}`}, like those that the rows of its window stand for. Other uses were not examined.`,
      ],
      ['Training data', `Rows of ${model}, segment ${segment}, from ${window.from} to ${window.to}.`],
      ['Algorithm', [trainer.name, parameters && ` (${parameters})`]],
      ['Served form', 'One self-contained ONNX model with its manifest; preprocessing is part of the graph.'],
      [
        'Exam',
        [split ? protocol(split) : 'Rows that were held out.', ` ${plural(evaluation.units, 'unit')}, ${plural(evaluation.folds.length, 'fold')}.`],
      ],
      ['Uncertainty', `Bootstrap over units at ${percent(evaluation.confidence)}; gains are paired by unit.`],
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
      `Rolling origin: from ${by.from}${by.to === undefined ? '' : ` to ${by.to}`}, every ${by.every}, trained on everything before the origin and examined on the ${by.horizon} after it; the validation part is the last ${by.horizon} before.${by.minHistory ? ` Units with fewer than ${by.minHistory} earlier rows are not examined.` : ''}`,
  } satisfies { [By in SplitSpec['by']]: (split: SplitBy<By>) => string };
  return (words[split.by] as (split: SplitSpec) => string)(split);
}

type SplitBy<By extends SplitSpec['by']> = Extract<SplitSpec, { by: By }>;

function limits({ evaluation, split, window }: ReportInput): readonly Content[] {
  return [
    split?.by === 'last-per' &&
      `The exam looks into the future: a user's last rows are held out, but other users' later ratings are in its training rows. Its figures compare contenders; they do not forecast how well the model does tomorrow.`,
    split?.by === 'rolling-origin' &&
      'Units of several folds are not independent: a user who appears in several counts once in each, so intervals are somewhat too narrow.',
    split?.by === 'share' && 'The exam is drawn from the same time as the training rows: it does not show how the model ages.',
    evaluation.units < 200 && `Only ${plural(evaluation.units, 'unit')} were examined: small differences are invisible to this exam.`,
    'The exam repeats what people did under the conditions of their time; it cannot see what they would have done had the model served them.',
    `Nothing after ${window.to} is known to the model.`,
  ].filter(Boolean);
}
