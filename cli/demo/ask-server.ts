import { setTimeout as sleep } from 'node:timers/promises';
import { MlError } from '../../core/errors.ts';
import type { Recommended } from './result.ts';

/** Asks over HTTP, as an application would, for a few viewers. */
export async function askTheServer(page: string, model: string): Promise<Readonly<Record<string, readonly Recommended[]>>> {
  await untilServing(page, model);
  const users = (await getJson<{ users: readonly { id: string }[] }>(`${page}/v1/users?limit=3`)).users.map(({ id }) => id);
  const answers = users.map(async (user) => {
    const body = JSON.stringify({ user, count: 5 });
    const { items } = await getJson<{ items: readonly Recommended[] }>(`${page}/v1/models/${model}/recommend`, body);
    return [user, items.map(({ id, title }) => ({ id, title }))] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}

/** The server follows the registry; what was promoted a moment ago is on its way. */
async function untilServing(page: string, model: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const { models } = await getJson<{ models: readonly { model: string; segments: readonly { serving: unknown }[] }[] }>(`${page}/v1/models`);
    if (models.some(({ model: name, segments }) => name === model && segments.some(({ serving }) => serving))) return;
    await sleep(100);
  }
  throw new MlError('NotServing', `${page} does not serve ${model}: ${page}/health says why`);
}

async function getJson<T>(url: string, body?: string): Promise<T> {
  const response = await fetch(url, body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}
