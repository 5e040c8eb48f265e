import type { Estimate } from '../../core/evaluation.ts';
import { html, trusted, type Content, type Html } from '../html.ts';
import { captioned } from '../plot.ts';
import { gainPlot } from '../plots.ts';
import type { ReportInput } from '../report-input.ts';
import { table } from '../table.ts';
import { count, figure, parametersLine, percent } from '../wording.ts';

const leading = ['challenger', 'champion', 'anchor', 'fallback'];

/** The challenger, the champions, then the baselines from strong to weak. */
export function contendersInOrder({ evaluation, metrics }: ReportInput): readonly string[] {
  const sign = metrics?.[evaluation.metric]?.better === 'lower' ? 1 : -1;
  const worth = (name: string) => sign * (evaluation.contenders[name]?.metrics[evaluation.metric]?.value ?? -sign * Infinity);
  const rest = Object.keys(evaluation.contenders).filter((name) => !leading.includes(name));
  return [...leading.filter((name) => evaluation.contenders[name]), ...rest.toSorted((a, b) => worth(a) - worth(b) || (a < b ? -1 : 1))];
}

/** The gate's metric first, then the task's order, then whatever else was measured. */
export function metricsInOrder({ evaluation, metrics }: ReportInput): readonly string[] {
  const measured = new Set(Object.values(evaluation.contenders).flatMap((marks) => Object.keys(marks.metrics)));
  return [...new Set([evaluation.metric, ...Object.keys(metrics ?? {}), ...measured])].filter((metric) => measured.has(metric));
}

/** Every contender in every metric, and what the challenger gains over each. */
export async function contendersSection(input: ReportInput): Promise<Html> {
  const { evaluation } = input;
  const names = contendersInOrder(input);
  const metrics = metricsInOrder(input);
  const best = new Map(metrics.map((metric) => [metric, bestOf(input, metric)]));
  const cell = (estimate: Estimate | undefined, metric: string): Content =>
    estimate &&
    html`${estimate.value === best.get(metric) ? html`<b>${figure(estimate.value)}</b>` : figure(estimate.value)}<small
        >${interval(estimate)}</small
      >`;
  const confidence = percent(evaluation.confidence);
  return html`<h2>Contenders</h2>
    <p>
      All sat the same exam: the same ${count(evaluation.units)} held-out ${input.words.unit[1]}. The challenger is the model of this
      report.${evaluation.rowsLeftOut > 0 && ` ${evaluation.rowsLeftOut} held-out rows that one of them had seen were left out for all.`}
    </p>
    ${inWidth(metrics).map((shown, part) =>
      table(
        part > 0
          ? 'Marks on the held-out rows, continued.'
          : html`Marks on the held-out rows; beneath each its bootstrap interval at ${confidence}. The best of a column is bold.`,
        ['', ...shown.map((metric) => breakable(titleOf(input, metric)))],
        // Metrics that the spec asks for besides (of bounds, of calls) are of the challenger, and of a champion that was asked for them.
        names
          .filter((name) => part === 0 || shown.some((metric) => evaluation.contenders[name]?.metrics[metric]))
          .map((name) => [
            html`${name}${part === 0 && origin(input, name)}`,
            ...shown.map((metric) => cell(evaluation.contenders[name]?.metrics[metric], metric)),
          ]),
      ),
    )}
    ${
      evaluation.gains.length > 0 &&
      captioned(
        await gainPlot(
          evaluation.gains.toSorted((a, b) => names.indexOf(a.over) - names.indexOf(b.over)),
          titleOf(input, evaluation.metric),
        ),
        html`What the challenger gains in ${titleOf(input, evaluation.metric)} over each contender, ${input.words.unit[0]} by ${input.words.unit[0]}
        (paired), with the interval at ${confidence}. The dashed line is no gain.`,
      )
    }`;
}

/** Columns of figures with intervals that fit beside each other, on paper too. */
const columnsInWidth = 7;

/** Metrics in as many tables as it takes. */
export const inWidth = (metrics: readonly string[], most = columnsInWidth): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(metrics.length / most) }, (_, part) => metrics.slice(part * most, (part + 1) * most));

/** `CardPrecision@100` may go on in the next line at its `@`. */
export const breakable = (title: string): Content => title.split(/(?=@)/).flatMap((part, i) => (i === 0 ? [part] : [trusted('<wbr />'), part]));

export const titleOf = ({ metrics }: Pick<ReportInput, 'metrics'>, metric: string): string => metrics?.[metric]?.title ?? metric;

/** What a contender is, in small letters under its name. */
function origin({ who }: ReportInput, name: string): Content {
  const own = who?.[name];
  if (own === undefined) return undefined;
  const parameters = own.trainer === name ? '' : parametersLine(own.parameters);
  const shown = own.trainer === name && own.summary ? own.summary : [own.trainer, own.summary ?? ''].filter(Boolean).join(': ');
  return (shown !== name || parameters) && html`<small title="${parameters}">${shown}</small>`;
}

/** A point estimate without an interval (a metric of the whole catalogue) shows none. */
const interval = ({ value, low, high }: Estimate): string | undefined =>
  figure(low) === figure(value) && figure(high) === figure(value) ? undefined : `${figure(low)} – ${figure(high)}`;

function bestOf({ evaluation, metrics }: ReportInput, metric: string): number | undefined {
  const values = Object.values(evaluation.contenders).flatMap((marks) => marks.metrics[metric]?.value ?? []);
  if (values.length < 2) return undefined;
  return metrics?.[metric]?.better === 'lower' ? Math.min(...values) : Math.max(...values);
}
