import type { Evaluation } from '../core/evaluation.ts';
import type { CurvePoint } from '../core/trainer.ts';
import type { Html } from './html.ts';
import { colour, draw, plotWidth } from './plot.ts';
import type { Candidate, Floor } from './report-input.ts';
import { figure, parametersLine, signed } from './wording.ts';

const schema = 'https://vega.github.io/schema/vega-lite/v6.json';
const rowHeight = { step: 30 } as const;
const line = (name: string, title: string) => ({ field: name, type: 'quantitative', title, scale: { zero: false, nice: true } }) as const;
const rank = (field: string) => ({ field, type: 'nominal', title: null, sort: null, axis: { grid: false } }) as const;

/** The gain over each contender with its interval, and the line of no gain. Green is surely above it, red surely below. */
export function gainPlot(evaluation: Evaluation): Promise<Html> {
  const values = evaluation.gains.map((gain) => ({
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
  const x = { ...line('value', `gain in ${evaluation.metric}`), scale: { zero: true, nice: true } } as const;
  return draw({
    $schema: schema,
    width: plotWidth - 40,
    height: rowHeight,
    data: { values },
    layer: [
      { mark: { type: 'rule', color: colour.faint, strokeDash: [4, 3] }, encoding: { x: { datum: 0 } } },
      { mark: { type: 'rule', strokeWidth: 2.5 }, encoding: { y: rank('over'), x: { ...x, field: 'low' }, x2: { field: 'high' }, color: tone } },
      { mark: { type: 'point', filled: true, size: 75, opacity: 1 }, encoding: { y: rank('over'), x, color: tone } },
      {
        mark: { type: 'text', align: 'left', baseline: 'middle', fontSize: 11, color: colour.ink },
        encoding: { y: rank('over'), x: { value: plotWidth - 30 }, text: { field: 'text', type: 'nominal' } },
      },
    ],
  });
}

/** One metric of every contender on every slice, with the floors that stand in it. */
export function slicePlot(
  evaluation: Evaluation,
  metric: string,
  slices: readonly string[],
  names: readonly string[],
  floors: readonly Floor[],
): Promise<Html> {
  // Later marks lie above earlier ones: the challenger comes last.
  const marks = names.toReversed().flatMap((contender) =>
    slices.flatMap((slice) => {
      const value = evaluation.contenders[contender]?.slices[slice]?.metrics[metric];
      return value === undefined ? [] : [{ slice, contender, value }];
    }),
  );
  const bounds = floors.filter((floor) => floor.metric === metric && slices.includes(floor.slice)).map(({ slice, min }) => ({ slice, min }));
  return draw({
    $schema: schema,
    width: plotWidth,
    height: rowHeight,
    encoding: { y: { ...rank('slice'), axis: { grid: true } } },
    layer: [
      {
        data: { values: marks },
        mark: { type: 'point', size: 62, opacity: 1, strokeWidth: 1.6 },
        encoding: {
          x: { ...line('value', metric), scale: { zero: true, nice: true } },
          color: { field: 'contender', type: 'nominal', sort: null, scale: { domain: [...names], range: series(names.length) } },
          fill: { condition: { test: { field: 'contender', equal: names[0] ?? '' }, value: colour.accent }, value: colour.paper },
          shape: { field: 'contender', type: 'nominal', sort: null, scale: { domain: [...names], range: shapes(names.length) } },
        },
      },
      {
        data: { values: bounds },
        mark: { type: 'tick', thickness: 2.5, size: 18, color: colour.bad },
        encoding: { x: { field: 'min', type: 'quantitative' } },
      },
    ],
  });
}

/** How training went: one panel for each metric that the trainer told. */
export function curvePlot(curve: readonly CurvePoint[]): Promise<Html> {
  const metrics = [...new Set(curve.flatMap((point) => Object.keys(point.metrics)))];
  const values = curve.flatMap((point) => Object.entries(point.metrics).map(([metric, value]) => ({ done: point.done, metric, value })));
  return draw({
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
        x: { field: 'done', type: 'quantitative', title: 'done', axis: { grid: false, tickMinStep: 1 } },
        y: { ...line('value', ''), title: null, axis: { domain: false, ticks: false, tickCount: 4 } },
      },
    },
    resolve: { scale: { y: 'independent' } },
  });
}

/** What the choice was made from: each candidate's mark on the validation rows, best first, the chosen one filled. */
export function candidatesPlot(candidates: readonly Candidate[], metric: string): Promise<Html> {
  const values = candidates.map((candidate, i) => ({
    place: i,
    label: [candidate.trainer, parametersLine(candidate.parameters)].filter(Boolean).join(': '),
    value: candidate.value,
    text: figure(candidate.value),
    chosen: candidate.chosen ? 'chosen' : 'tried',
  }));
  return draw({
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
  });
}

const series = (n: number): string[] => Array.from({ length: n }, (_, i) => `var(--series-${(i % 6) + 1})`);

const shapeNames = ['circle', 'square', 'diamond', 'triangle-up', 'triangle-down', 'cross'] as const;
const shapes = (n: number): string[] => Array.from({ length: n }, (_, i) => shapeNames[i % shapeNames.length] ?? 'circle');
