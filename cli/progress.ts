import cliProgress from 'cli-progress';
import type { MultiBar, SingleBar } from 'cli-progress';
import type { Progress } from '../core/step-context.ts';
import { styledTalk } from './output.ts';

/** Shows long work: lines for what is done, and what works now. */
export interface ProgressDisplay {
  line(text: string): void;
  working(now: readonly Progress[]): void;
  end(): void;
}

/** A bar per working step where somebody watches a terminal; elsewhere lines, and of what takes long one now and then. */
export const openProgress = (): ProgressDisplay => (process.stderr.isTTY ? bars() : lines());

const plainEveryMs = 10_000;

function lines(): ProgressDisplay {
  const told = new Map<string, number>();
  const began = performance.now();
  return {
    line: (text) => void process.stderr.write(`${text}\n`),
    working(now) {
      for (const progress of now) {
        const key = nameOf(progress);
        if (performance.now() - (told.get(key) ?? began) < plainEveryMs) continue;
        told.set(key, performance.now());
        const share = progress.total === undefined ? '' : ` ${progress.done ?? 0} of ${progress.total}`;
        process.stderr.write(`  … ${key}${share}\n`);
      }
    },
    end() {},
  };
}

function bars(): ProgressDisplay {
  const all: MultiBar = new cliProgress.MultiBar(
    { format: '  {bar} {name} {share}', hideCursor: true, clearOnComplete: true, stream: process.stderr, barsize: 24, fps: 10 },
    cliProgress.Presets.shades_classic,
  );
  const shown = new Map<string, SingleBar>();
  return {
    line: (text) => all.log(`${text}\n`),
    working(now) {
      const named = now.map(
        (progress, at) => [nameOf(progress), now.slice(0, at).filter((other) => nameOf(other) === nameOf(progress)).length] as const,
      );
      const keys = named.map(([name, nth]) => `${name} ${nth}`);
      for (const [key, bar] of shown) {
        if (keys.includes(key)) continue;
        all.remove(bar);
        shown.delete(key);
      }
      for (const [at, { done = 0, total }] of now.entries()) {
        const payload = { name: styledTalk('dim', named[at]![0]), share: total === undefined ? '' : `${done}/${total}` };
        let bar = shown.get(keys[at]!);
        if (bar === undefined) shown.set(keys[at]!, (bar = all.create(total ?? 1, 0, payload)));
        if (total !== undefined) bar.setTotal(total);
        bar.update(total === undefined ? 0 : done, payload);
      }
    },
    end: () => all.stop(),
  };
}

const nameOf = ({ step, note }: Progress): string => (note === undefined ? step : `${step} ${note}`);
