import { element } from './dom.js';
import { filmTitle, genres, hueOf, modelTitle, plural, score, segmentTitle, signed, windowTitle } from './words.js';

/**
 * One model beside the others: which version answered, how well it did in its exam, and what it recommends.
 *
 * `answer` is absent while it is awaited; `failure` is what the server said instead. `fresh` marks a version that has just taken over.
 */
export function column({ model, segment, segments, answer, failure, fresh, onLike, liked }) {
  const served = model.segments.find(({ segment: name }) => name === (answer?.segment ?? segment)) ?? model.segments[0];
  const version = answer && served?.serving?.version === answer.version ? served.serving : undefined;
  return element(
    'article',
    { class: 'column', 'aria-labelledby': `title-${model.model}`, 'data-model': model.model },
    element(
      'header',
      {},
      element(
        'div',
        { class: 'column-title' },
        element('h2', { id: `title-${model.model}` }, modelTitle(model.model)),
        answer && element('span', { class: fresh ? 'badge fresh' : 'badge' }, fresh ? `now v${answer.version}` : `v${answer.version}`),
      ),
      version ? facts(version) : element('p', { class: 'facts' }, failure ? 'not serving' : ' '),
    ),
    version && marks(version),
    notice({ model, segment, segments, answer, served }),
    failure
      ? element('div', { class: 'empty' }, element('p', {}, emptyTitle(failure)), element('p', { class: 'quiet' }, failure.message))
      : films(answer, onLike, liked),
    version && links(version, model.model),
  );
}

function facts(version) {
  return element(
    'p',
    { class: 'facts' },
    element('span', { title: 'the trainer' }, `${version.trainer} · `),
    element('code', { title: `package ${version.digest}` }, version.digest.slice(0, 12)),
    element('br'),
    element('span', { title: 'what it was trained on' }, `${windowTitle(version.window)} · ${plural(version.rows, 'row')}`),
  );
}

/** The exam: its metric, and the gain over popularity with its interval. */
function marks(version) {
  const metric = 'ndcg@10' in version.metrics ? 'ndcg@10' : Object.keys(version.metrics)[0];
  if (metric === undefined) return null;
  const gain = version.gains.find((one) => one.metric === metric && one.over === 'popularity') ?? version.gains.find((one) => one.metric === metric);
  return element(
    'dl',
    { class: 'marks' },
    element('div', {}, element('dt', {}, metric.replace('ndcg', 'nDCG')), element('dd', { class: 'figure' }, score(version.metrics[metric]))),
    gain &&
      element(
        'div',
        { class: 'gain' },
        element('dt', {}, `over ${gain.over.replaceAll('-', ' ')}`),
        element('dd', { class: gain.low > 0 ? 'figure up' : gain.high < 0 ? 'figure down' : 'figure' }, signed(gain.value)),
        element('dd', { class: 'interval' }, interval(gain), element('span', {}, `${signed(gain.low)} to ${signed(gain.high)}`)),
      ),
  );
}

/** A whisker with the zero line: whether it crosses is what matters. */
function interval({ value, low, high }) {
  const reach = Math.max(Math.abs(low), Math.abs(high)) * 1.15 || 1;
  const x = (at) => 50 + (at / reach) * 48;
  return element(
    'svg',
    { class: low > 0 ? 'whisker up' : high < 0 ? 'whisker down' : 'whisker', viewBox: '0 0 100 12', 'aria-hidden': 'true' },
    element('line', { class: 'zero', x1: 50, x2: 50, y1: 0, y2: 12 }),
    element('rect', { x: x(low), y: 4.5, width: Math.max(1.5, x(high) - x(low)), height: 3, rx: 1.5 }),
    element('circle', { cx: x(value), cy: 6, r: 3.2 }),
  );
}

function notice({ model, segment, segments, answer, served }) {
  const refused = (model.segments.find(({ segment: name }) => name === segment) ?? served)?.refused;
  if (refused) return element('p', { class: 'notice warn' }, `v${refused.version} was refused, so the version before it stays: ${refused.reason}`);
  if (!answer || answer.segment === segment) return null;
  const [wanted, got] = [segment, answer.segment].map((name) => segmentTitle(name, segments));
  return element('p', { class: 'notice' }, `No champion for ${wanted}: “${got}” answers.`);
}

function films(answer, onLike, liked) {
  if (!answer)
    return element(
      'ol',
      { class: 'films waiting', 'aria-busy': 'true' },
      Array.from({ length: 10 }, () => element('li', {}, element('span'))),
    );
  if (answer.items.length === 0) {
    return element(
      'div',
      { class: 'empty' },
      element('p', {}, 'Nothing left to recommend'),
      element('p', { class: 'quiet' }, 'Everything that this model would name is known already.'),
    );
  }
  const rows = answer.items.map((film) => filmRow(film, onLike, liked));
  const more = rows.length < 10 && element('p', { class: 'more' }, 'That is all: what is known already is left out.');
  return element('div', {}, element('ol', { class: 'films' }, rows), more);
}

function filmRow({ id, rank, title: fullTitle, categories }, onLike, liked) {
  const { title, alias, year } = filmTitle(fullTitle);
  return element(
    'li',
    { 'data-film': id, '--hue': hueOf(categories) },
    element('span', { class: 'rank', 'aria-hidden': 'true' }, String(rank)),
    element(
      'div',
      { class: 'film' },
      element('p', { class: 'film-title', title: alias }, title, year && element('span', { class: 'year' }, ` ${year}`)),
      element('p', { class: 'genres' }, genres(categories)),
    ),
    !liked.has(id) &&
      element(
        'button',
        {
          type: 'button',
          class: 'like',
          title: 'More like this',
          'aria-label': `More like ${title}`,
          onclick: () => onLike({ id, title: fullTitle, categories }),
        },
        '+',
      ),
  );
}

function links(version, model) {
  return element(
    'footer',
    {},
    version.verdict && element('span', { class: 'verdict', 'data-verdict': version.verdict }, version.verdict.replaceAll('-', ' ')),
    element('a', { href: version.report, target: '_blank', rel: 'noreferrer', 'aria-label': `Report of ${model} v${version.version}` }, 'Report'),
    version.run?.url &&
      element('a', { href: version.run.url, target: '_blank', rel: 'noreferrer', 'aria-label': `Run that made ${model} v${version.version}` }, 'Run'),
  );
}

const emptyTitle = ({ code }) => (code === 'NotServing' ? 'No version yet' : 'No answer');
