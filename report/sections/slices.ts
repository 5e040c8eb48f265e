import { html, type Content, type Html } from '../html.ts';
import { captioned } from '../plot.ts';
import { slicePlot } from '../plots.ts';
import type { Floor, ReportInput } from '../report-input.ts';
import { table } from '../table.ts';
import { count, figure } from '../wording.ts';
import { breakable, contendersInOrder, inWidth, metricsInOrder, titleOf } from './contenders.ts';

/** Without intervals more figures fit beside each other. */
const metricsInWidth = 8;

/** A plot stays readable with this many slices; the table has them all. */
const plotted = 24;

/** How the challenger does for parts of the units, against the others and against what was promised. */
export async function slicesSection(input: ReportInput): Promise<Html | undefined> {
  const { evaluation, floors = [] } = input;
  const own = evaluation.contenders['challenger']?.slices ?? {};
  const slices = Object.keys(own).toSorted((a, b) => rank(a) - rank(b) || units(own, b) - units(own, a) || (a < b ? -1 : 1));
  if (slices.length === 0 && floors.length === 0) return undefined;
  const names = contendersInOrder(input);
  const [one, many] = input.words.unit;
  const measured = metricsInOrder(input).filter((metric) => slices.some((slice) => own[slice]?.metrics[metric] !== undefined));
  const metrics = [...new Set([evaluation.metric, ...floors.map((floor) => floor.metric)])];
  const shown = slices.slice(0, plotted);
  const plots = await Promise.all(
    metrics.map(async (metric) =>
      captioned(
        await slicePlot(evaluation, { metric, title: titleOf(input, metric) }, shown, names, floors),
        caption(
          titleOf(input, metric),
          floors.filter((floor) => floor.metric === metric),
          shown.length < slices.length,
        ),
      ),
    ),
  );
  return html`<h2>Slices and floors</h2>
    ${
      floors.length > 0 &&
      table(
        'Floors: the least that a slice must reach.',
        ['slice', 'metric', 'floor', 'reached', many, 'needed', ''],
        floors.map((floor) => floorRow(input, floor)),
        'llrrrrl',
      )
    }
    ${slices.length > 0 && plots}
    ${
      slices.length > 0 &&
      table(
        html`${titleOf(input, evaluation.metric)} of every contender by slice. A ${one} may be in several slices.`,
        ['slice', many, ...names],
        slices.map((slice) => [
          slice,
          count(units(own, slice)),
          ...names.map((name) => optional(evaluation.contenders[name]?.slices[slice]?.metrics[evaluation.metric])),
        ]),
      )
    }
    ${
      slices.length > 0 &&
      measured.length > 1 &&
      inWidth(measured, metricsInWidth).map((metrics) =>
        table(
          'The challenger by slice.',
          ['slice', many, ...metrics.map((metric) => breakable(titleOf(input, metric)))],
          slices.map((slice) => [slice, count(units(own, slice)), ...metrics.map((metric) => optional(own[slice]?.metrics[metric]))]),
        ),
      )
    }`;
}

function floorRow({ evaluation, metrics }: ReportInput, { slice, metric, min, minUnits = 20 }: Floor): Content[] {
  const marks = evaluation.contenders['challenger'];
  const part = marks?.slices[slice];
  const reached = part?.metrics[metric] ?? (slice === 'all' ? marks?.metrics[metric]?.value : undefined);
  const size = part?.units ?? (slice === 'all' ? evaluation.units : 0);
  return [slice, metrics?.[metric]?.title ?? metric, figure(min), optional(reached), count(size), count(minUnits), answer()];

  function answer(): Html {
    if (reached === undefined || size < minUnits) return html`<span class="faint">– not judged${size < minUnits && ': too few'}</span>`;
    return reached >= min ? html`<span class="good-text">✓ held</span>` : html`<span class="bad-text">✗ broken</span>`;
  }
}

const caption = (title: string, floors: readonly Floor[], cut: boolean): Html =>
  html`${title} by
  slice.${floors.length > 0 && ' The upright red stroke is a floor; a pale one is not judged, since the slice is too small.'}${cut && ` The ${plotted} first slices; the table below has all.`}`;

type Slices = Readonly<Record<string, { readonly units: number; readonly metrics: Readonly<Record<string, number>> }>>;
const units = (slices: Slices, name: string): number => slices[name]?.units ?? 0;
/** Slices of the task itself come before its families (`category:…`). */
const rank = (slice: string): number => (slice === 'all' ? 0 : slice.includes(':') ? 2 : 1);
const optional = (value: number | undefined): string => (value === undefined ? '–' : figure(value));
