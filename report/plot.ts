import { parse, textMetrics, View, type Spec } from 'vega';
import { compile, type Config, type TopLevelSpec } from 'vega-lite';
import { escapeHtml, html, trusted, type Content, type Html } from './html.ts';

declare module 'vega' {
  /** Exported by Vega, but missing from its types. */
  export const textMetrics: { width(item: { readonly fontSize?: number }, text: unknown): number };
}

/** Colours are the stylesheet's variables, so that a plot follows light, dark and print with the page. */
export const colour = {
  ink: 'var(--ink)',
  faint: 'var(--faint)',
  grid: 'var(--rule)',
  accent: 'var(--accent)',
  good: 'var(--good)',
  bad: 'var(--bad)',
  /** What a value is held against. */
  mark: 'var(--series-2)',
  paper: 'var(--paper)',
} as const;

export const plotFont = 'system-ui, "Segoe UI", "Helvetica Neue", "Liberation Sans", sans-serif';

/** Wide enough for the column of text, together with labels of ordinary length. */
export const plotWidth = 500;

const config: Config = {
  background: 'transparent',
  font: plotFont,
  padding: { left: 2, top: 4, right: 4, bottom: 2 },
  view: { stroke: null },
  axis: {
    labelColor: colour.ink,
    titleColor: colour.faint,
    titleFontWeight: 'normal',
    titleFontSize: 12,
    labelFontSize: 12,
    gridColor: colour.grid,
    domainColor: colour.faint,
    tickColor: colour.faint,
    labelLimit: 230,
    labelFlush: false,
    titlePadding: 8,
  },
  axisY: { domain: false, ticks: false, labelPadding: 8 },
  axisX: { tickCount: 6, labelPadding: 4 },
  legend: { labelColor: colour.ink, labelFontSize: 12, labelLimit: 200, title: null, orient: 'top', symbolStrokeWidth: 1.5 },
  header: { labelColor: colour.ink, labelFontSize: 12, title: null },
};

/**
 * Width of a text in ems of a common sans-serif. Vega measures with a canvas; without one it takes every character for .8 em, which
 * truncates labels that would fit and leaves plots with wide margins.
 */
const ems = (text: string): number => {
  let width = 0;
  for (const character of text) width += widths.find(([characters]) => characters.test(character))?.[1] ?? 0.64;
  return width;
};

const widths: readonly (readonly [RegExp, number])[] = [
  [/[ijltfI.,:;|!'()[\] ]/, 0.39],
  [/[mwMW@%—+−=]/, 0.9],
  [/[A-Z]/, 0.7],
];

textMetrics.width = (item, text) => ems(String(text ?? '')) * (item.fontSize ?? 11);

/** Drawn as one picture: who does not see it is told `description`, so what Vega says of each of its lines would only be noise. */
const roles = / (?:role|aria-[a-z]+)="[^"]*"/g;

/**
 * Draws a Vega-Lite plot as inline SVG, without a canvas, a script or a network. `description` tells those who do not see it what it shows.
 *
 * Names from outside (metrics, trainers, slices) are values of the data, never names of fields: Vega reads field names as expressions.
 * No mark is clipped: Vega numbers clip paths across a process, and the bytes would differ from one report to the next.
 */
export async function draw(spec: TopLevelSpec, description: string): Promise<Html> {
  const view = new View(parse(compile({ ...spec, config }).spec as Spec), { renderer: 'none' });
  try {
    const svg = await view.toSVG();
    const bare = svg.replace(/ xmlns(:xlink)?="[^"]*"/g, '').replace(roles, '');
    return trusted(bare.replace('<svg', `<svg role="img" aria-label="${escapeHtml(description)}"`));
  } finally {
    view.finalize();
  }
}

/** Colours of contenders in their order: told apart by those who see no red or no green, and by their dashes where there is no colour. */
export const series = (n: number): string[] => Array.from({ length: n }, (_, i) => `var(--series-${(i % 7) + 1})`);

const dashPatterns = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 3, 2, 3],
  [4, 2],
  [1, 3],
  [10, 4],
] as const;
export const dashes = (n: number): number[][] => Array.from({ length: n }, (_, i) => [...dashPatterns[i % dashPatterns.length]!]);

const shapeNames = ['circle', 'square', 'diamond', 'triangle-up', 'triangle-down', 'cross', 'triangle-right'] as const;
export const shapes = (n: number): string[] => Array.from({ length: n }, (_, i) => shapeNames[i % shapeNames.length]!);

export const captioned = (plot: Html, caption: Content): Html =>
  html`<figure>
    <div class="scroll">${plot}</div>
    <figcaption>${caption}</figcaption>
  </figure>`;
