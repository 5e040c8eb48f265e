import type { Json } from '../core/artifact.ts';
import type { ContenderMarks, Estimate, Evaluation } from '../core/evaluation.ts';
import type { Curves, Figure } from '../core/figure.ts';
import { figureOf } from './figure-plots.ts';
import { html, type Content, type Html } from './html.ts';
import { pageOf } from './page.ts';
import { captioned } from './plot.ts';
import { slicePlot } from './plots.ts';
import type { MetricTitle } from './report-input.ts';
import { titleOf } from './sections/contenders.ts';
import { table } from './table.ts';
import { count, figure, percent, plain, signed } from './wording.ts';

/** One of two versions that are held against each other. */
export interface ComparedSide {
  /** `readmission/all@3`; short, where both are of one model. */
  readonly name: string;
  /** What is known of it, in the order in which it is shown; both sides have the same. */
  readonly facts: Readonly<Record<string, string>>;
  /** What it got: where there is a gain, in the exam that the gain is of; else in its own. */
  readonly marks: ContenderMarks;
  /** Of the same exam, with this side as their challenger. */
  readonly figures: readonly Figure[];
}

export interface ComparisonInput {
  readonly title: string;
  readonly sides: readonly [ComparedSide, ComparedSide];
  readonly exam: Pick<Evaluation, 'metric' | 'confidence'>;
  readonly metrics: Readonly<Record<string, MetricTitle>>;
  /** What the second gains over the first by metric, paired; absent where they did not sit one exam, or its marks are gone. */
  readonly gains?: Readonly<Record<string, Estimate>>;
  /** What is examined: `rows`. */
  readonly units: string;
  readonly differences: readonly { readonly path: string; readonly before: Json | undefined; readonly after: Json | undefined }[];
}

/** Two versions on one self-contained page: their figures with the intervals of the differences, curves over each other, slices, what made them differ. */
export async function renderComparison(input: ComparisonInput): Promise<string> {
  const [a, b] = input.sides;
  return pageOf(`${a.name} and ${b.name}`, {
    header: html`<h1>${input.title}</h1>
      <p>${a.name} and ${b.name}, side by side</p>`,
    main: [factsTable(input), metricsSection(input), await figuresPart(input), await slicesPart(input), differencesSection(input)],
    footer: 'Made by Perennial from what the store holds of both versions.',
  });
}

const factsTable = ({ sides: [a, b] }: ComparisonInput): Html =>
  table(
    'The versions.',
    ['', a.name, b.name],
    Object.entries(a.facts).map(([name, value]) => [name, value, b.facts[name]]),
    'lll',
  );

function metricsSection(input: ComparisonInput): Html {
  const { sides, gains, units, exam } = input;
  const [a, b] = [sides[0].marks.metrics, sides[1].marks.metrics];
  const measured = Object.keys(input.metrics).filter((metric) => a[metric] ?? b[metric]);
  return html`<h2>Figures</h2>
    <p>
      ${
        gains === undefined
          ? html`They were examined on different ${units}, or the marks of their exam are gone: each has the figures of its own exam, which do not
            measure the other, and no gain is given.`
          : html`Both were examined on the same ${units}. The gain is that of ${sides[1].name} over ${sides[0].name}, paired by what was examined;
            above zero is better.`
      }
    </p>
    ${table(
      html`Each figure with its interval at ${percent(exam.confidence)}.`,
      ['', ...namesOf(input), ...(gains ? ['gain'] : [])],
      measured.map((metric) => [titleOf(input, metric), ...[a[metric], b[metric]].map(withInterval), ...(gains ? [gainCell(gains[metric])] : [])]),
    )}`;
}

/** Of columns: whose figures they hold, and of which exam where it is not one. */
const namesOf = ({ sides, gains }: ComparisonInput): string[] => sides.map(({ name }) => (gains === undefined ? `${name}, its own exam` : name));

const withInterval = (estimate: Estimate | undefined): Content =>
  estimate === undefined
    ? '–'
    : html`${figure(estimate.value)}${estimate.low !== estimate.high && html`<small>${figure(estimate.low)} – ${figure(estimate.high)}</small>`}`;

function gainCell(gain: Estimate | undefined): Content {
  if (gain === undefined) return '–';
  const tone = gain.low > 0 ? 'good-text' : gain.high < 0 ? 'bad-text' : '';
  return html`<span class="${tone}">${signed(gain.value)}</span><small>${signed(gain.low)} to ${signed(gain.high)}</small>`;
}

const linesFirst = (a: Figure, b: Figure): number => Number(b.kind === 'curves') - Number(a.kind === 'curves');

/** Lines of both over each other; whatever else is drawn, one beside the other. */
async function figuresPart(input: ComparisonInput): Promise<Html | undefined> {
  const { sides } = input;
  const [a, b] = [sides[0].figures, sides[1].figures];
  const names = namesOf(input);
  const drawn = await Promise.all(
    b.toSorted(linesFirst).map(async (second) => {
      const first = a.find(({ name, kind }) => name === second.name && kind === second.kind);
      if (first === undefined) return undefined;
      if (first.kind === 'curves' && second.kind === 'curves') return figureOf(over(first, second, names), names);
      const pair = [first, second].map((each, i) => figureOf(renamed(each, names[i]!), ['challenger']));
      return Promise.all(pair);
    }),
  );
  return drawn.some(Boolean)
    ? html`<h2>The exams in figures</h2>
        <div class="figures">${drawn}</div>`
    : undefined;
}

/** A figure of one version under its own name: in its exam it was the challenger. */
const renamed = (figure: Figure, name: string): Figure => ({
  ...figure,
  title: `${figure.title}: ${name}`,
  caption: figure.caption.replaceAll('the challenger', name),
});

function over(first: Curves, second: Curves, names: readonly string[]): Curves {
  const lines = [first, second].flatMap(({ series }, i) => (series['challenger'] ? [[names[i]!, series['challenger']] as const] : []));
  return { ...second, series: Object.fromEntries(lines) };
}

async function slicesPart(input: ComparisonInput): Promise<Html | undefined> {
  const { sides, units } = input;
  const [a, b] = [sides[0].marks.slices, sides[1].marks.slices];
  const { metric } = input.exam;
  const size = (slice: string): number => b[slice]?.units ?? a[slice]?.units ?? 0;
  const slices = [...new Set([...Object.keys(a), ...Object.keys(b)])].toSorted((one, other) => size(other) - size(one) || (one < other ? -1 : 1));
  if (slices.length === 0) return undefined;
  const names = namesOf(input);
  const contenders = Object.fromEntries(sides.map(({ marks }, i) => [names[i]!, marks]));
  const title = titleOf(input, metric);
  const plot = await slicePlot({ contenders }, { metric, title }, slices.slice(0, plotted), names, []);
  return html`<h2>Slices</h2>
    ${captioned(plot, html`${title} by slice.${slices.length > plotted && ` The ${plotted} largest.`}`)}
    ${table(
      html`${title} by slice.`,
      ['slice', ...names.map((name) => `${units}, ${name}`), ...names],
      slices.map((slice) => [
        slice,
        ...[a, b].map((own) => count(own[slice]?.units ?? 0)),
        ...[a, b].map((own) => figure(own[slice]?.metrics[metric] ?? Number.NaN)),
      ]),
    )}`;
}

/** A plot stays readable with so many slices. */
const plotted = 24;

/** A spec that differs everywhere has hundreds of differences; the first show what kind they are of. */
const differencesShown = 60;

function differencesSection({ sides, differences }: ComparisonInput): Html {
  const shown = differences.slice(0, differencesShown);
  return html`<h2>What differs</h2>
    ${
      shown.length === 0
        ? html`<p>Parameters, window, rows, sources and spec are the same.</p>`
        : table(
            html`Where trainer, window, rows, sources and spec are not the
            same.${shown.length < differences.length && ` The first ${differencesShown} of ${differences.length}.`}`,
            ['', ...sides.map(({ name }) => name)],
            shown.map(({ path, before, after }) => [path, ...[before, after].map((value) => html`<span class="digest">${cut(plain(value))}</span>`)]),
            'lll',
          )
    }`;
}

const cut = (text: string): string => (text.length > 160 ? `${text.slice(0, 159)}…` : text);
