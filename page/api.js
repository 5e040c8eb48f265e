/** The prediction server's answer to a question; its own words when it refuses. */
async function ask(path, options) {
  const response = await fetch(path, options);
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  throw Object.assign(new Error(body.error ?? `the server answered ${response.status}`), { code: body.code, answered: true });
}

const query = (values) => new URLSearchParams(values).toString();

export const fetchModels = () => ask('/v1/models').then(({ models }) => models);

export const findFilms = (text) => ask(`/v1/items?${query({ query: text })}`).then(({ items }) => items);

export const fetchFilms = (ids) => ask(`/v1/items?${query(ids.map((id) => ['id', id]))}&limit=50`).then(({ items }) => items);

export const findUsers = (text) => ask(`/v1/users?${query({ query: text })}`).then(({ users }) => users);

export const fetchUser = (id) => ask(`/v1/users/${encodeURIComponent(id)}`);

export const recommend = (model, request, signal) =>
  ask(`/v1/models/${encodeURIComponent(model)}/recommend`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
    signal,
  });
