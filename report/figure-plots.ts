import type { Bands, Bars, Curves, Figure, Matrix, Ranges } from '../core/figure.ts';
import { html, type Html } from './html.ts';
import { captioned, colour, dashes, draw, plotWidth, series } from './plot.ts';
import { table } from './table.ts';
import { count, short } from './wording.ts';

const schema = 'https://vega.github.io/schema/vega-lite/v6.json';

/** Two stand side by side. */
const half = 330;

/** Draws a figure of an exam, whatever kind of task it is of. `names` are those who may be in it, in the order of their colours. */
export async function figureOf(figure: Figure, names: readonly string[]): Promise<Html> {
  switch (figure.kind) {
    case 'curves': {
      // A line that is no contender (before calibration) comes after those that are.
      const all = [...new Set([...names, ...Object.keys(figure.series)])];
      return titled(figure, html`${legendOf(figure, all)}${await curves(figure, all)}`);
    }
    case 'bands':
      return titled(figure, await bands(figure));
    case 'bars':
      return titled(figure, await bars(figure));
    case 'ranges':
      return titled(figure, await ranges(figure));
    case 'matrix':
      return titled(figure, await matrix(figure));
    case 'listing':
      return html`<div class="wide">
        <h3>${figure.title}</h3>
        ${table(
          figure.caption,
          figure.head,
          figure.rows.map((row) => row.map((cell) => (typeof cell === 'number' ? short(cell) : cell))),
        )}
      </div>`;
  }
}

/** Wide enough to stand alone. */
const isWide = (figure: Figure): boolean =>
  figure.kind === 'bands' || figure.kind === 'ranges' || (figure.kind === 'matrix' && figure.names.length > 6);

const titled = (figure: Figure, plot: Html): Html =>
  html`<div class="${isWide(figure) ? 'wide' : 'half'}">
    <h3>${figure.title}</h3>
    ${captioned(plot, figure.caption)}
  </div>`;

const quantitative = (field: string, title: string) => ({ field, type: 'quantitative', title, scale: { zero: true, nice: true } }) as const;

function curves({ title, x, y, reference, marked, series: of }: Curves, names: readonly string[]): Promise<Html> {
  const present = names.filter((name) => of[name]);
  // Later lines lie above earlier ones: the challenger comes last.
  const values = present.toReversed().flatMap((name) => of[name]!.map(([at, value, low, high], order) => ({ name, order, at, value, low, high })));
  const most = Math.max(...values.flatMap(({ at, value, high }) => [at, high ?? value]));
  const scale = { domain: present, range: series(names.length).filter((_, i) => of[names[i]!]) };
  const dash = { domain: present, range: dashes(names.length).filter((_, i) => of[names[i]!]) };
  const guide =
    reference === 'diagonal'
      ? [
          { at: 0, value: 0 },
          { at: most, value: most },
        ]
      : [];
  const colours = { field: 'name', type: 'nominal', sort: null, scale, legend: null } as const;
  const heavy = { condition: { test: { field: 'name', equal: present[0] ?? '' }, value: 2.4 }, value: 1.5 } as const;
  return draw(
    {
      $schema: schema,
      width: half,
      height: half * 0.86,
      data: { values },
      layer: [
        {
          data: { values: guide },
          mark: { type: 'line', ...guideLine },
          encoding: { x: { field: 'at', type: 'quantitative' }, y: { field: 'value', type: 'quantitative' } },
        },
        ...(typeof reference === 'object'
          ? [{ data: { values: [{}] }, mark: { type: 'rule', ...guideLine }, encoding: { y: { datum: reference.y } } } as const]
          : []),
        ...(marked
          ? [
              {
                mark: { type: 'rule', strokeWidth: 1.2, opacity: 0.55 },
                encoding: {
                  x: { field: 'at', type: 'quantitative' },
                  y: { field: 'low', type: 'quantitative' },
                  y2: { field: 'high' },
                  color: colours,
                },
              } as const,
            ]
          : []),
        {
          mark: { type: 'line', ...(marked && { point: { filled: true, size: 34, opacity: 1 } }), interpolate: 'linear' },
          encoding: {
            x: { ...quantitative('at', x), axis: { grid: false } },
            y: { ...quantitative('value', y), axis: { tickCount: 5 } },
            order: { field: 'order', type: 'quantitative' },
            color: colours,
            strokeDash: { field: 'name', type: 'nominal', sort: null, scale: dash, legend: null },
            strokeWidth: heavy,
          },
        },
      ],
    },
    `${title}: ${y} by ${x}. ${present.map((name) => `${name}: ${along(of[name]!)}`).join('. ')}.`,
  );
}

/** The names of the lines, outside of the picture: they wrap as text does. */
function legendOf({ series: of }: Curves, names: readonly string[]): Html {
  const [colours, dashed] = [series(names.length), dashes(names.length)];
  return html`<ul class="legend" aria-hidden="true">
    ${names.map(
      (name, i) =>
        of[name] &&
        html`<li>
          <svg width="26" height="10" viewBox="0 0 26 10">
            <line
              x1="1"
              x2="25"
              y1="5"
              y2="5"
              stroke="${colours[i]}"
              stroke-width="${i === 0 ? 2.4 : 1.8}"
              stroke-dasharray="${dashed[i]!.join(' ')}"
            />
          </svg>
          ${name}
        </li> `,
    )}
  </ul>`;
}

const guideLine = { color: colour.faint, strokeDash: [3, 3], strokeWidth: 1 };

/** A line in words: some of its points. */
function along(points: readonly (readonly [x: number, y: number, low?: number, high?: number])[]): string {
  const steps = Math.min(points.length, 6);
  const told = Array.from({ length: steps }, (_, i) => points[Math.round((i * (points.length - 1)) / Math.max(steps - 1, 1))]!);
  return told.map(([at, value]) => `${short(value)} at ${short(at)}`).join(', ');
}

function bands({ title, x, y, points }: Bands): Promise<Html> {
  const values = points.map(([at, p05, p25, p50, p75, p95]) => ({ at, p05, p25, p50, p75, p95 }));
  const across = { ...quantitative('at', x), scale: { zero: false, nice: true }, axis: { grid: false } } as const;
  const band = (low: string, high: string, opacity: number) =>
    ({
      mark: { type: 'area', color: colour.accent, opacity, interpolate: 'linear' },
      encoding: { x: across, y: { ...quantitative(low, y), axis: { tickCount: 6 } }, y2: { field: high } },
    }) as const;
  return draw(
    {
      $schema: schema,
      width: plotWidth + 190,
      height: 220,
      data: { values },
      layer: [
        band('p05', 'p95', 0.16),
        band('p25', 'p75', 0.3),
        { data: { values: [{}] }, mark: { type: 'rule', ...guideLine }, encoding: { y: { datum: 0 } } },
        {
          mark: { type: 'line', color: colour.accent, strokeWidth: 2, point: { filled: true, size: 26, color: colour.accent, opacity: 1 } },
          encoding: { x: across, y: quantitative('p50', y) },
        },
      ],
    },
    `${title}: ${y} by ${x}. Median: ${along(points.map(([at, , , p50]) => [at, p50] as const))}. Nine in ten between: ${along(points.map(([at, p05]) => [at, p05] as const))}; and ${along(points.map((point) => [point[0], point[5]] as const))}.`,
  );
}

function bars({ title, x, y, series: of }: Bars): Promise<Html> {
  const names = Object.keys(of);
  const values = names.flatMap((name) => of[name]!.map(([from, to, share]) => ({ name, from, to, share })));
  return draw(
    {
      $schema: schema,
      data: { values },
      facet: {
        row: {
          field: 'name',
          type: 'nominal',
          sort: names,
          title: null,
          // One alone needs no name.
          header: names.length === 1 ? { labels: false } : { labelAngle: 0, labelAnchor: 'start', labelOrient: 'top', labelPadding: 2 },
        },
      },
      spacing: 10,
      spec: {
        width: half,
        height: names.length === 1 ? 236 : 96,
        mark: { type: 'bar', color: colour.accent, opacity: 0.75, binSpacing: 1 },
        encoding: {
          x: { ...quantitative('from', x), bin: 'binned', axis: { grid: false, tickCount: 6 } },
          x2: { field: 'to' },
          y: { ...quantitative('share', y), axis: { tickCount: 3 } },
        },
      },
      resolve: { scale: { y: 'independent' } },
    },
    `${title}: ${y} by ${x}. ${names.map((name) => `${name}: ${middleOf(of[name]!)}`).join('. ')}.`,
  );
}

/** Of a histogram the bins that hold its quartiles. */
function middleOf(bins: Bars['series'][string]): string {
  let reached = 0;
  const cumulative = bins.map(([from, to, share]) => ({ from, to, reached: (reached += share) }));
  const at = (share: number) => cumulative.find((bin) => bin.reached >= share - 1e-9) ?? cumulative.at(-1)!;
  const told = (
    [
      [0.25, 'a quarter'],
      [0.5, 'half'],
      [0.75, 'three quarters'],
    ] as const
  ).map(([share, words]) => `${words} up to ${short(at(share).to)}`);
  return told.join(', ');
}

function ranges({ title, x, legend, rows }: Ranges): Promise<Html> {
  const values = rows.map(({ name, units, ...row }) => ({ label: `${name}  (${count(units)})`, ...row }));
  const down = { field: 'label', type: 'nominal', title: null, sort: null, axis: { grid: false } } as const;
  const [value, mark] = legend;
  const tone = { type: 'nominal', scale: { domain: [value, mark], range: [colour.ink, colour.mark] } } as const;
  return draw(
    {
      $schema: schema,
      width: plotWidth,
      height: { step: 24 },
      data: { values },
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 2.2, color: colour.ink, opacity: 0.6 },
          encoding: { y: down, x: { ...quantitative('low', x), axis: { grid: true } }, x2: { field: 'high' } },
        },
        {
          mark: { type: 'point', filled: true, size: 58, opacity: 1 },
          encoding: { y: down, x: { field: 'value', type: 'quantitative' }, color: { ...tone, datum: value } },
        },
        {
          mark: { type: 'tick', thickness: 3, size: 16 },
          encoding: { y: down, x: { field: 'mark', type: 'quantitative' }, color: { ...tone, datum: mark } },
        },
      ],
    },
    `${title}: ${x}. ${rows.map((row) => `${row.name}: ${short(row.value)} (${short(row.low)} to ${short(row.high)}), ${mark} ${short(row.mark)}`).join('. ')}.`,
  );
}

function matrix({ title, x, y, names, counts }: Matrix): Promise<Html> {
  const values = counts.flatMap((row, at) => {
    const all = row.reduce((sum, each) => sum + each, 0);
    return row.map((each, column) => ({
      ...{ row: names[at]!, column: names[column]!, share: all === 0 ? 0 : each / all },
      text: each === 0 ? '' : count(each),
    }));
  });
  const size = Math.min(plotWidth / names.length, names.length > 10 ? 34 : 64);
  return draw(
    {
      $schema: schema,
      width: { step: size },
      height: { step: Math.min(size, 40) },
      data: { values },
      encoding: {
        x: {
          field: 'column',
          type: 'nominal',
          sort: null,
          title: x,
          axis: { orient: 'bottom', grid: false, ticks: false, domain: false, labelAngle: names.length > 6 ? -40 : 0, labelLimit: 120 },
          scale: { padding: 0.06 },
        },
        y: { field: 'row', type: 'nominal', sort: null, title: y, axis: { grid: false, labelLimit: 160 }, scale: { padding: 0.06 } },
      },
      layer: [
        {
          mark: { type: 'rect', color: colour.accent, cornerRadius: 2 },
          encoding: { opacity: { field: 'share', type: 'quantitative', legend: null, scale: { domain: [0, 1], range: [0.05, 1] } } },
        },
        {
          mark: { type: 'text', fontSize: names.length > 10 ? 10 : 12 },
          encoding: {
            text: { field: 'text', type: 'nominal' },
            color: { condition: { test: { field: 'share', gt: 0.5 }, value: colour.paper }, value: colour.ink },
          },
        },
      ],
    },
    `${title}. ${names.map((name, at) => `${name} was taken for ${names.flatMap((other, column) => (counts[at]![column] === 0 ? [] : [`${other} ${count(counts[at]![column]!)} times`])).join(', ') || 'nothing'}`).join('. ')}.`,
  );
}
