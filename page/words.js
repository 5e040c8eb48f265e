/** How the page says things: names, dates and figures for people. */

const month = new Intl.DateTimeFormat('en', { month: 'long', timeZone: 'UTC' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
const whole = new Intl.NumberFormat('en');

/** `movie-recommender` → “Movie recommender”. */
export function modelTitle(name) {
  const words = name.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const monthOf = (segment) => {
  const number = Number(/(?:^|[=-])0?(\d{1,2})$/.exec(segment)?.[1]);
  return number >= 1 && number <= 12 ? month.format(new Date(Date.UTC(2000, number - 1))) : undefined;
};

/** `all`, a month of the year by its number, or what the segment is called. */
export function segmentTitle(segment, others = []) {
  if (segment === 'all') return others.some(monthOf) ? 'All year' : 'Everyone';
  return monthOf(segment) ?? modelTitle(segment.replace(/^[a-z-]+=/, ''));
}

/** `1996-03-29T…` to `2018-09-24T…` → “29 Mar 1996 – 24 Sep 2018”. The end is exclusive, so an end at midnight is the day before. */
export function windowTitle({ from, to }) {
  return `${day.format(new Date(from))} – ${day.format(new Date(Date.parse(to) - 1))}`;
}

export const count = (number) => whole.format(number);

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** Metrics between 0 and 1, as papers print them: `.1123`. */
export const score = (value) => value.toFixed(4).replace(/^(-?)0\./, '$1.');

export const signed = (value) => (value < 0 ? '−' : '+') + score(Math.abs(value));

/**
 * MovieLens titles carry the year, other titles in brackets, and articles at the end: “City of Lost Children, The (Cité des enfants perdus, La) (1995)”
 * → “The City of Lost Children”, “La Cité des enfants perdus”, 1995.
 */
export function filmTitle(text) {
  const [, named, year] = /^(.*?)(?:\s*\((\d{4})(?:[–-]\d{0,4})?\))?\s*$/.exec(text) ?? [undefined, text, undefined];
  const [, title, alias] = /^(.+?)\s+\((.+)\)$/.exec(named) ?? [undefined, named || text, undefined];
  return { title: withArticle(title), alias: alias && withArticle(alias.replace(/^a\.k\.a\. /, '')), year };
}

function withArticle(title) {
  const [, name, article] = /^(.*), (The|A|An|La|Le|Les|El|Los|Il|Das|Der|Die|L')$/.exec(title) ?? [];
  return name ? `${article}${article.endsWith("'") ? '' : ' '}${name}` : title;
}

export const genres = (categories) => categories.filter((name) => !name.startsWith('(no ')).join(' · ');

/** A hue per genre that stays the same everywhere; those that come to mind are chosen, the rest follow from the name. */
export function hueOf(categories) {
  const [first = ''] = categories;
  const chosen = {
    Action: 14,
    Adventure: 32,
    Animation: 196,
    Children: 48,
    Comedy: 44,
    Crime: 350,
    Documentary: 172,
    Drama: 218,
    Fantasy: 286,
    Horror: 328,
    Musical: 306,
    Mystery: 256,
    Romance: 340,
    'Sci-Fi': 204,
    Thriller: 264,
    War: 92,
    Western: 24,
  };
  if (first in chosen) return chosen[first];
  let hash = 7;
  for (const character of first) hash = (hash * 31 + character.codePointAt(0)) % 360;
  return hash;
}
