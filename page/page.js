import { fetchFilms, fetchModels, fetchUser, findFilms, findUsers, recommend } from './api.js';
import { column } from './column.js';
import { combobox } from './combobox.js';
import { element, find } from './dom.js';
import { filmTitle, genres, modelTitle, plural, segmentTitle } from './words.js';

const followEveryMs = 2000;
/** A version that took over says so for this long. */
const freshMs = 12_000;

/** All that the page knows. What can be shared (user, films, segment) is in the address, too. */
const state = {
  models: [],
  loaded: false,
  user: undefined,
  liked: new Map(),
  segment: 'all',
  /** By model: `{ answer }` or `{ failure }`. */
  results: new Map(),
  /** By model: until when its version is news. */
  freshUntil: new Map(),
};

let asking = new AbortController();

/** Asks every model, or those given, and shows what they say. An earlier question that is still open is dropped. */
async function askModels(models = state.models) {
  if (models === state.models) {
    asking.abort();
    asking = new AbortController();
  }
  const { signal } = asking;
  const request = { segment: state.segment, liked: [...state.liked.keys()], ...(state.user ? { user: state.user } : {}) };
  await Promise.all(
    models.map(async ({ model, segments }) => {
      const able = segments.some(({ segment, serving }) => serving && (segment === state.segment || segment === 'all'));
      if (!able) return state.results.set(model, { failure: notServing });
      try {
        const answer = await recommend(model, request, signal);
        if (!signal.aborted) state.results.set(model, { answer });
      } catch (failure) {
        if (signal.aborted) return;
        if (failure.answered) state.results.set(model, { failure });
        else trouble();
      }
    }),
  );
  if (!signal.aborted) showColumns();
}

const notServing = { code: 'NotServing', message: 'No version has been promoted. It appears here by itself when one is.' };

/** What would change an answer: the versions that serve. */
const servedBy = ({ segments }) => JSON.stringify(segments.map(({ segment, serving }) => [segment, serving?.digest, serving?.version]));

/** The exam's figure, by which the models stand: the best one first. */
const examined = ({ segments }) => Math.max(-1, ...segments.map(({ champion }) => champion?.metrics['ndcg@10'] ?? -1));

/** Looks for new versions; only a model whose versions changed is asked again. */
async function follow() {
  try {
    const models = await fetchModels();
    const before = new Map(state.models.map((model) => [model.model, servedBy(model)]));
    const changed = models.filter((model) => before.get(model.model) !== servedBy(model));
    const first = !state.loaded;
    const seen = JSON.stringify(state.models);
    state.models = models.toSorted((a, b) => examined(b) - examined(a));
    state.loaded = true;
    find('trouble').hidden = true;
    if (changed.length > 0) {
      showSegments();
      const previous = new Map([...state.results].map(([model, { answer }]) => [model, answer]));
      await askModels(first ? state.models : changed);
      if (!first) announce(changed, previous);
    } else if (first || JSON.stringify(state.models) !== seen) showColumns();
    pulse();
  } catch (error) {
    if (error.answered) trouble(error.message);
    else trouble();
  }
}

/** Says quietly which model has a new version. */
function announce(changed, previous) {
  for (const { model } of changed) {
    const { answer } = state.results.get(model) ?? {};
    if (!answer || answer.digest === previous.get(model)?.digest) continue;
    state.freshUntil.set(model, Date.now() + freshMs);
    find('news').textContent = `${modelTitle(model)}: now v${answer.version}`;
    setTimeout(() => {
      find('news').textContent = '';
      showColumns();
    }, freshMs);
  }
  showColumns();
}

function trouble(message = 'The prediction server does not answer. What you see is its last answer; the page keeps trying.') {
  find('trouble').textContent = message;
  find('trouble').hidden = false;
  find('pulse').dataset.state = 'lost';
  find('pulse').textContent = 'not connected';
}

function pulse() {
  const serving = state.models.filter(({ segments }) => segments.some(({ serving: version }) => version));
  find('pulse').dataset.state = serving.length > 0 ? 'live' : 'waiting';
  find('pulse').textContent = serving.length > 0 ? `${plural(serving.length, 'model')} serving` : 'waiting for a first model';
}

const allSegments = () => {
  const names = new Set(state.models.flatMap(({ segments }) => segments.map(({ segment }) => segment)));
  names.delete('all');
  const byName = new Intl.Collator('en', { numeric: true });
  return ['all', ...[...names].sort(byName.compare)];
};

function showColumns() {
  const columns = find('columns');
  if (!state.loaded) return;
  if (state.models.length === 0) return columns.replaceChildren(noModels());
  const focused = focusPath();
  const segments = allSegments();
  columns.replaceChildren(
    ...state.models.map((model) =>
      column({
        model,
        segment: state.segment,
        segments,
        ...state.results.get(model.model),
        fresh: (state.freshUntil.get(model.model) ?? 0) > Date.now(),
        liked: state.liked,
        onLike: like,
      }),
    ),
  );
  if (focused) columns.querySelector(focused)?.focus();
}

/** The columns are drawn anew; whoever was on one of their buttons or links stays there. */
function focusPath() {
  const label = document.activeElement?.closest('.column') && document.activeElement.getAttribute('aria-label');
  return label ? `[aria-label="${CSS.escape(label)}"]` : undefined;
}

const noModels = () =>
  element(
    'div',
    { class: 'empty large' },
    element('img', { src: '/icon.svg', alt: '', width: 56, height: 56 }),
    element('p', {}, 'No model yet'),
    element('p', { class: 'quiet' }, 'Train one, and it appears here by itself as soon as it is promoted:'),
    element('pre', {}, 'perennial train movie-recommender'),
  );

function showSegments() {
  const segments = allSegments();
  if (!segments.includes(state.segment)) segments.push(state.segment);
  find('segment-field').hidden = segments.length < 2;
  find('segments').replaceChildren(
    ...segments.map((segment) =>
      element(
        'label',
        {},
        element('input', {
          type: 'radio',
          name: 'segment',
          value: segment,
          checked: segment === state.segment,
          onchange: () => {
            state.segment = segment;
            changed();
          },
        }),
        element('span', {}, segmentTitle(segment, segments)),
      ),
    ),
  );
}

const chip = (text, label, remove) =>
  element('span', { class: 'chip' }, text, element('button', { type: 'button', 'aria-label': label, onclick: remove }, '×'));

function showChips() {
  const forget = () => {
    state.user = undefined;
    find('user-input').focus();
    changed();
  };
  find('user-chips').replaceChildren(...(state.user ? [chip(`User ${state.user}`, `Forget user ${state.user}`, forget)] : []));
  find('user-input').placeholder = state.user ? 'Another user…' : 'A new visitor';
  find('film-chips').replaceChildren(
    ...[...state.liked].map(([id, film]) =>
      chip(filmTitle(film.title).title, `Remove ${filmTitle(film.title).title}`, () => {
        state.liked.delete(id);
        find('film-input').focus();
        changed();
      }),
    ),
  );
  find('film-input').placeholder = state.liked.size > 0 ? 'Another film…' : 'Search films by title';
}

/** What is known of the chosen user, so that one can judge whether the recommendations fit. */
async function showProfile() {
  const profile = find('profile');
  const user = state.user;
  if (!user) return (profile.hidden = true);
  try {
    const { items, favourites } = await fetchUser(user);
    if (state.user !== user) return;
    const titles = favourites.slice(0, 7).flatMap(({ title }, at) => [at > 0 ? ', ' : '', element('b', {}, filmTitle(title).title)]);
    profile.replaceChildren(`User ${user} has rated ${plural(items, 'film')}, and loved `, ...titles, '.');
  } catch (error) {
    if (state.user !== user) return;
    profile.replaceChildren(error.answered ? `Nobody knows user ${user} yet: the films that they like speak for them.` : '');
  }
  profile.hidden = false;
}

function like(film) {
  state.liked.set(film.id, film);
  changed();
}

/** The question changed: keep it in the address, and ask. */
function changed() {
  const address = new URLSearchParams();
  if (state.user) address.set('user', state.user);
  for (const id of state.liked.keys()) address.append('liked', id);
  if (state.segment !== 'all') address.set('segment', state.segment);
  history.replaceState(null, '', address.size > 0 ? `?${address}` : location.pathname);
  showChips();
  void showProfile();
  void askModels();
}

/** Takes the question from the address: a link shows what its sender saw. */
async function restore() {
  const address = new URLSearchParams(location.search);
  state.user = address.get('user') ?? undefined;
  state.segment = address.get('segment') ?? 'all';
  for (const id of address.getAll('liked')) state.liked.set(id, { id, title: `film ${id}`, categories: [] });
  showChips();
  void showProfile();
  if (state.liked.size === 0) return;
  for (const film of await fetchFilms([...state.liked.keys()]).catch(() => [])) if (state.liked.has(film.id)) state.liked.set(film.id, film);
  showChips();
}

combobox(find('user-input'), find('user-options'), {
  search: async (text) => (await findUsers(text)).map(({ id, items }) => ({ id, title: `User ${id}`, note: plural(items, 'film') })),
  choose: ({ id }) => {
    state.user = id;
    changed();
  },
  nothing: (text) => (text ? `No user like “${text}”` : 'No users are known yet'),
});

combobox(find('film-input'), find('film-options'), {
  search: async (text) =>
    (await findFilms(text))
      .filter(({ id }) => !state.liked.has(id))
      .map((film) => {
        const { title, year } = filmTitle(film.title);
        return { ...film, fullTitle: film.title, title, note: [year, genres(film.categories)].filter(Boolean).join(' · ') };
      }),
  choose: ({ id, fullTitle, categories }) => like({ id, title: fullTitle, categories }),
  nothing: (text) => (text ? `No film like “${text}”` : 'No films are known yet'),
});

find('request').addEventListener('submit', (event) => event.preventDefault());

/** A film that several models name lights up in all of them. */
for (const [kind, on] of [
  ['pointerover', true],
  ['pointerout', false],
  ['focusin', true],
  ['focusout', false],
]) {
  find('columns').addEventListener(kind, (event) => {
    const id = event.target.closest('[data-film]')?.dataset.film;
    if (id === undefined) return;
    const same = [...document.querySelectorAll(`[data-film="${CSS.escape(id)}"]`)];
    for (const row of same) row.classList.toggle('same', on && same.length > 1);
  });
}

void restore();
showColumns();
for (;;) {
  await follow();
  await new Promise((resolve) => setTimeout(resolve, followEveryMs));
}
