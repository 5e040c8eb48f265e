import { proxyActivities } from '@temporalio/workflow';
import { stepsFor } from '../../workflows/index.ts';
import type * as trivial from './trivial.steps.ts';

const queued = stepsFor<typeof trivial>({ allowEagerDispatch: false });
const eager = stepsFor<typeof trivial>();
const light = stepsFor<typeof trivial>({ light: true });
const plain = proxyActivities<{ plain(n: string): Promise<{ n: string }> }>({
  taskQueue: 'plain',
  startToCloseTimeout: '1 minute',
  allowEagerDispatch: false,
});

export type Times = Readonly<Record<'plain' | 'queued' | 'eager' | 'light' | 'bare', readonly number[]>>;

/** One step of each kind after the other, `count` times: each meets the same weather. Milliseconds from a workflow task to the next. */
export async function measureSteps({
  count,
  store,
  seed,
}: {
  readonly count: number;
  readonly store: string;
  readonly seed: string;
}): Promise<Times> {
  const times = { plain: [] as number[], queued: [] as number[], eager: [] as number[], light: [] as number[], bare: [] as number[] };
  const timed = async (kind: keyof Times, step: Promise<unknown>, from = Date.now()) => {
    await step;
    times[kind].push(Date.now() - from);
  };
  for (let i = 0; i < count; i++) {
    await timed('plain', plain.plain(`${i}`));
    await timed('queued', queued.makeTrivial({ n: `${seed} queued ${i}`, store }));
    await timed('plain', plain.plain(`${i}`));
    await timed('eager', eager.makeTrivial({ n: `${seed} eager ${i}`, store }));
    await timed('plain', plain.plain(`${i}`));
    await timed('light', light.makeTrivial({ n: `${seed} light ${i}`, store }));
    await timed('plain', plain.plain(`${i}`));
    await timed('bare', light.nothing({ n: `${i}` }));
  }
  return times;
}

/** Many steps at the same time. */
export async function measureMany({
  count,
  store,
  seed,
}: {
  readonly count: number;
  readonly store: string;
  readonly seed: string;
}): Promise<number> {
  const all = await Promise.all(Array.from({ length: count }, (_, i) => queued.makeTrivial({ n: `${seed} many ${i}`, store })));
  return new Set(all.map(({ sha256 }) => sha256)).size;
}
