import type { Json } from '../core/artifact.ts';
import type { Evaluation } from '../core/evaluation.ts';
import type { Gain } from '../core/registry-entry.ts';
import type { CurvePoint } from '../core/trainer.ts';
import type { Html } from './html.ts';
import { colour, draw, plotWidth, series, shapes } from './plot.ts';
import type { Candidate, Floor } from './report-input.ts';
import { figure, isRecord, parametersLine, percent, short, signed } from './wording.ts';

const schema = 'https://vega.github.io/schema/vega-lite/v6.json';
const rowHeight = { step: 30 } as const;
const line = (name: string, title: string) => ({ field: name, type: 'quantitative', title, scale: { zero: false, nice: true } }) as const;
const rank = (field: string) => ({ field, type: 'nominal', title: null, sort: null, axis: { grid: false } }) as const;

/** Bars of shares, the largest first. */
export function importancePlot(features: readonly { readonly name: string; readonly share: number }[]): Promise<Html> {
  const values = features.map(({ name, share }) => ({ name, share: 100 * share, text: percent(share) }));
  const y = { field: 'name', type: 'nominal', sort: null, title: null, axis: { grid: false } } as const;
  return draw(
    {
      $schema: schema,
      width: plotWidth - 40,
      height: { step: 21 },
      data: { values },
      layer: [
        {
          mark: { type: 'bar', color: colour.accent, height: { band: 0.62 } },
          encoding: { y, x: { field: 'share', type: 'quantitative', title: 'share of the importance of all features, %' } },
        },
        {
          mark: { type: 'text', align: 'left', baseline: 'middle', dx: 5, fontSize: 11, color: colour.ink },
          encoding: { y, x: { field: 'share', type: 'quantitative' }, text: { field: 'text', type: 'nominal' } },
        },
      ],
    },
    `Importance: ${features.map(({ name, share }) => `${name} ${percent(share)}`).join(', ')}.`,
  );
}

/** The gain over each contender with its interval, and the line of no gain. Green is surely above it, red surely below. */
export function gainPlot(gains: readonly Gain[], metric: string): Promise<Html> {
  const values = gains.map((gain) => ({
    over: gain.over,
    value: gain.value,
    low: gain.low,
    high: gain.high,
    tone: gain.low > 0 ? 'good' : gain.high < 0 ? 'bad' : 'open',
    text: `${signed(gain.value)}  [${signed(gain.low)}, ${signed(gain.high)}]`,
  }));
  const tone = {
    field: 'tone',
    type: 'nominal',
    legend: null,
    scale: { domain: ['good', 'open', 'bad'], range: [colour.good, colour.ink, colour.bad] },
  } as const;
  const x = { ...line('value', `gain in ${metric}`), scale: { zero: true, nice: true } } as const;
  return draw(
    {
      $schema: schema,
      width: plotWidth - 40,
      height: rowHeight,
      data: { values },
      layer: [
        { data: { values: [{}] }, mark: { type: 'rule', color: colour.faint, strokeDash: [4, 3] }, encoding: { x: { datum: 0 } } },
        { mark: { type: 'rule', strokeWidth: 2.5 }, encoding: { y: rank('over'), x: { ...x, field: 'low' }, x2: { field: 'high' }, color: tone } },
        { mark: { type: 'point', filled: true, size: 75, opacity: 1 }, encoding: { y: rank('over'), x, color: tone } },
        {
          mark: { type: 'text', align: 'left', baseline: 'middle', fontSize: 11, color: colour.ink },
          encoding: { y: rank('over'), x: { value: plotWidth - 30 }, text: { field: 'text', type: 'nominal' } },
        },
      ],
    },
    `Gains in ${metric}: ${values.map(({ over, text }) => `over ${over} ${text}`).join('; ')}.`,
  );
}

/** One metric of every contender on every slice, with the floors that stand in it. */
export function slicePlot(
  { contenders }: Pick<Evaluation, 'contenders'>,
  { metric, title }: { readonly metric: string; readonly title: string },
  slices: readonly string[],
  names: readonly string[],
  floors: readonly Floor[],
): Promise<Html> {
  // Later marks lie above earlier ones: the challenger comes last.
  const marks = names.toReversed().flatMap((contender) =>
    slices.flatMap((slice) => {
      const value = contenders[contender]?.slices[slice]?.metrics[metric];
      return value === undefined ? [] : [{ slice, contender, value }];
    }),
  );
  const bounds = floors
    .filter((floor) => floor.metric === metric && slices.includes(floor.slice))
    .map(({ slice, min, minUnits = 20 }) => {
      const units = contenders[names[0] ?? '']?.slices[slice]?.units ?? 0;
      return { slice, min, judged: units >= minUnits ? 'judged' : 'too few' };
    });
  return draw(
    {
      $schema: schema,
      width: plotWidth,
      height: rowHeight,
      encoding: { y: { ...rank('slice'), axis: { grid: true } } },
      layer: [
        {
          data: { values: marks },
          mark: { type: 'point', size: 62, opacity: 1, strokeWidth: 1.6 },
          encoding: {
            x: { ...line('value', title), scale: { zero: true, nice: true } },
            color: { field: 'contender', type: 'nominal', sort: null, scale: { domain: [...names], range: series(names.length) } },
            fill: { condition: { test: { field: 'contender', equal: names[0] ?? '' }, value: colour.accent }, value: colour.paper },
            shape: { field: 'contender', type: 'nominal', sort: null, scale: { domain: [...names], range: shapes(names.length) } },
          },
        },
        {
          data: { values: bounds },
          mark: { type: 'tick', thickness: 2.5, size: 18 },
          encoding: {
            x: { field: 'min', type: 'quantitative' },
            color: { condition: { test: { field: 'judged', equal: 'judged' }, value: colour.bad }, value: colour.grid },
          },
        },
      ],
    },
    `${title} by slice: ${slices
      .map(
        (slice) =>
          `${slice} ${marks
            .filter((mark) => mark.slice === slice)
            .toReversed()
            .map(({ contender, value }) => `${contender} ${short(value)}`)
            .join(', ')}`,
      )
      .join('; ')}.${bounds.length > 0 ? ` Floors: ${bounds.map(({ slice, min }) => `${slice} ${short(min)}`).join(', ')}.` : ''}`,
  );
}

/** How training went: one panel for each metric that the trainer told. */
export function curvePlot(curve: readonly CurvePoint[]): Promise<Html> {
  const metrics = [...new Set(curve.flatMap((point) => Object.keys(point.metrics)))];
  const values = curve.flatMap((point) => Object.entries(point.metrics).map(([metric, value]) => ({ done: point.done, metric, value })));
  const ofMetric = (metric: string) => values.filter((value) => value.metric === metric);
  return draw(
    {
      $schema: schema,
      data: { values },
      facet: {
        row: {
          field: 'metric',
          type: 'nominal',
          sort: metrics,
          title: null,
          header: { labelAngle: 0, labelAnchor: 'start', labelOrient: 'top', labelPadding: 4 },
        },
      },
      spacing: 14,
      spec: {
        width: plotWidth + 90,
        height: 110,
        mark: {
          type: 'line',
          color: colour.accent,
          strokeWidth: 1.8,
          point: { filled: true, color: colour.accent, size: curve.length > 40 ? 0 : 26, opacity: 1 },
        },
        encoding: {
          x: { field: 'done', type: 'quantitative', title: 'step of the training', axis: { grid: false, tickMinStep: 1 } },
          y: { ...line('value', ''), title: null, axis: { domain: false, ticks: false, tickCount: 4 } },
        },
      },
      resolve: { scale: { y: 'independent' } },
    },
    `Learning curve: ${metrics.map((metric) => `${metric} from ${short(ofMetric(metric)[0]!.value)} to ${short(ofMetric(metric).at(-1)!.value)}`).join(', ')}.`,
  );
}

/** The parameters in which a candidate differs from others of its trainer. */
function differing({ trainer, parameters }: Candidate, candidates: readonly Candidate[]): Json {
  if (!isRecord(parameters)) return parameters;
  const others = candidates.filter((other) => other.trainer === trainer).map((other) => other.parameters);
  const differs = (name: string, value: string): boolean => others.some((other) => isRecord(other) && JSON.stringify(other[name]) !== value);
  return Object.fromEntries(Object.entries(parameters).filter(([name, value]) => differs(name, JSON.stringify(value))));
}

/** What the choice was made from: each candidate's mark on the validation rows, best first, the chosen one filled. */
export function candidatesPlot(candidates: readonly Candidate[], metric: string): Promise<Html> {
  const values = candidates.map((candidate, i) => ({
    place: i,
    label: [candidate.trainer, parametersLine(differing(candidate, candidates))].filter(Boolean).join(': '),
    value: candidate.value,
    text: figure(candidate.value),
    chosen: candidate.chosen ? 'chosen' : 'tried',
  }));
  return draw(
    {
      $schema: schema,
      width: plotWidth - 90,
      height: { step: 24 },
      data: { values },
      encoding: { y: { ...rank('label'), axis: { grid: true, labelLimit: 320 } }, x: line('value', `${metric} on the validation rows`) },
      layer: [
        {
          mark: { type: 'point', size: 68, opacity: 1, strokeWidth: 1.6, stroke: colour.accent },
          encoding: {
            fill: { field: 'chosen', type: 'nominal', legend: null, scale: { domain: ['chosen', 'tried'], range: [colour.accent, colour.paper] } },
          },
        },
        {
          mark: { type: 'text', align: 'left', baseline: 'middle', fontSize: 11, color: colour.ink },
          encoding: { x: { value: plotWidth - 80 }, text: { field: 'text', type: 'nominal' } },
        },
      ],
    },
    `Candidates by ${metric} on the validation rows: ${values.map(({ label, text, chosen }) => `${label} ${text}${chosen === 'chosen' ? ' (chosen)' : ''}`).join('; ')}.`,
  );
}
