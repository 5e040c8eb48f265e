import { setTimeout as sleep } from 'node:timers/promises';
import type { Kept } from './keep.ts';

export interface Answers {
  readonly good: number;
  /** While the server was down, or not ready yet. */
  readonly unserved: number;
  /** What it must never answer. */
  readonly wrong: readonly string[];
  /** Digest of the package that answered → model and segment. */
  readonly digests: ReadonlyMap<string, string>;
}

interface Answer {
  readonly model: string;
  readonly segment: string;
  readonly digest: string;
  readonly items: readonly { readonly id: string; readonly score: number }[];
}

/** Asks the prediction server all the time, as customers do, until it is told to stop. */
export async function ask(
  { url, kept }: { readonly url: string; readonly kept: Kept },
  models: readonly string[],
  signal: AbortSignal,
): Promise<Answers> {
  const digests = new Map<string, string>();
  const wrong: string[] = [];
  let [good, unserved] = [0, 0];
  /** The life in which it said that it was ready. From then on it has to answer. */
  let readySince: number | undefined;
  const served = new Set<string>();
  for (let n = 0; !signal.aborted; n++) {
    await sleep(50);
    const life = kept.upSince();
    const model = models[n % models.length]!;
    const segment = n % 2 === 0 ? 'all' : 'region=north';
    try {
      if (life === undefined || readySince !== life) {
        readySince = life !== undefined && (await fetch(`${url}/ready`)).ok && kept.upSince() === life ? life : undefined;
        if (readySince === undefined) unserved++;
        if (readySince === undefined) continue;
      }
      const response = await fetch(`${url}/v1/models/${model}/recommend`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ liked: [String(n % 30)], count: 5, segment }),
      });
      const text = await response.text();
      if (!response.ok) {
        // Before its first version nothing serves a segment; once something did, something does for good.
        const isAwaited = [404, 503].includes(response.status) && !served.has(`${model}/${segment}`);
        if (!isAwaited) wrong.push(`${model}/${segment}: ${response.status} ${text.slice(0, 200)}`);
        continue;
      }
      const answer = JSON.parse(text) as Answer;
      const isSound = answer.model === model && answer.items.length === 5 && answer.items.every(({ score }) => Number.isFinite(score));
      if (!isSound) wrong.push(`${model}/${segment}: ${text.slice(0, 200)}`);
      digests.set(answer.digest, `${answer.model}/${answer.segment}`);
      served.add(`${model}/${segment}`);
      good++;
    } catch {
      // Only a server that was killed meanwhile may break off an answer: give its keeper a moment to notice.
      await sleep(500);
      if (life !== undefined && kept.upSince() === life) wrong.push(`${model}/${segment}: no answer from a server that was up`);
      else unserved++;
    }
  }
  return { good, unserved, wrong, digests };
}
