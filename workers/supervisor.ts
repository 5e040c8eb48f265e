import { setTimeout as sleep } from 'node:timers/promises';
import { MlError } from '../core/errors.ts';

/** One part of a process tree: a server, a worker, a child process. */
export interface Service {
  readonly name: string;
  /** Resolves when the services after this one may rely on it. `signal` aborts when everything is to stop. */
  start(signal: AbortSignal): Promise<RunningService>;
  /** What to do when it ends by itself. `on-failure` starts it again, a few times; `never` (the default) stops everything. */
  readonly restart?: 'never' | 'on-failure';
}

export interface RunningService {
  /** Settles when the service ends by itself or after `stop`; how it ends does not matter, that it does. */
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

export type StopReason = 'asked' | 'interrupted' | 'terminated' | 'orphaned';

export type SupervisorEvent =
  | { readonly kind: 'starting' | 'stopping' | 'stopped'; readonly service: string }
  | { readonly kind: 'ready'; readonly service: string; readonly ms: number }
  | { readonly kind: 'ended'; readonly service: string; readonly restarting: boolean; readonly reason: string }
  | { readonly kind: 'stop'; readonly reason: StopReason }
  | { readonly kind: 'stop-failed'; readonly service: string; readonly reason: string };

export interface SupervisorOptions {
  readonly onEvent?: (event: SupervisorEvent) => void;
  /** Ends the process at once; the default exits with 130. What it started dies with it, by its lifelines. */
  readonly force?: () => void;
}

export interface Supervisor {
  /** Starts the services in order and returns when the last is ready. If one does not start, those before it are stopped and its error is thrown. */
  start(): Promise<void>;
  /** Stops them in reverse order. */
  stop(): Promise<void>;
  /** Resolves with the reason when all are stopped; rejects with `ServiceEnded` when a service ended that was not to be started again. */
  readonly done: Promise<StopReason>;
}

/** A terminal sends one Ctrl-C to each process of the group, and those pass it on: what comes so soon is the same one. */
const sameCtrlCMs = 500;
const parentPollMs = 500;
const restarts = { most: 5, withinMs: 60_000, pauseMs: 1000 };

/**
 * Runs services as one: all up in order, all down in reverse order, whichever way the end comes. It owns the signals of the process, and watches
 * its parent, since a SIGTERM to npm ends npm and tells nobody.
 */
export function supervise(services: readonly Service[], { onEvent = () => {}, force = () => process.exit(130) }: SupervisorOptions = {}): Supervisor {
  const running: { readonly service: Service; current: RunningService }[] = [];
  const stopping = new AbortController();
  const finished = settleable<StopReason>();
  let failure: Error | undefined;
  let launching = Promise.resolve();
  let stopped: Promise<void> | undefined;
  const ownership = ownProcess(stopFor, force);

  async function start(): Promise<void> {
    try {
      for (const service of services) {
        stopping.signal.throwIfAborted();
        await (launching = begin(service));
      }
    } catch (error) {
      await stop();
      if (stopping.signal.reason !== 'asked') return; // A Ctrl-C during the start: `done` tells.
      throw error;
    }
  }

  async function begin(service: Service): Promise<void> {
    const entry = { service, current: await launch(service) };
    running.push(entry);
    void keep(entry);
  }

  async function launch(service: Service): Promise<RunningService> {
    onEvent({ kind: 'starting', service: service.name });
    const began = performance.now();
    const current = await service.start(stopping.signal);
    onEvent({ kind: 'ready', service: service.name, ms: Math.round(performance.now() - began) });
    return current;
  }

  /** Notices the end of a service and starts it again, or stops everything. */
  async function keep(entry: (typeof running)[number]): Promise<void> {
    const ends: number[] = [];
    for (;;) {
      const reason = await entry.current.ended.then(
        (value) => `it ended${typeof value === 'number' ? ` with exit code ${value}` : ''}`,
        (error: Error) => error.message,
      );
      if (stopping.signal.aborted) return;
      ends.push(performance.now());
      const recent = ends.filter((at) => at > performance.now() - restarts.withinMs).length;
      const restarting = entry.service.restart === 'on-failure' && recent <= restarts.most;
      onEvent({ kind: 'ended', service: entry.service.name, restarting, reason });
      try {
        if (!restarting) {
          const { name } = entry.service;
          throw new MlError('ServiceEnded', `${name} stopped by itself: ${reason}. Start again: open runs go on where they were`, { service: name });
        }
        await sleep(recent > 1 ? restarts.pauseMs : 0, undefined, { signal: stopping.signal });
        entry.current = await launch(entry.service);
      } catch (error) {
        if (stopping.signal.aborted) return;
        failure = error as Error;
        await stop();
        return;
      }
    }
  }

  function stopFor(reason: StopReason): Promise<void> {
    stopped ??= stopAll(reason);
    return stopped;
  }

  async function stopAll(reason: StopReason): Promise<void> {
    stopping.abort(reason);
    onEvent({ kind: 'stop', reason });
    // What is coming up now may have heard of it, or is up in a moment and must go down with the rest; its failure is `start`'s to throw.
    await launching.catch(() => {});
    for (const { service, current } of running.toReversed()) {
      onEvent({ kind: 'stopping', service: service.name });
      try {
        await current.stop();
        onEvent({ kind: 'stopped', service: service.name });
      } catch (error) {
        // The others must still be stopped.
        onEvent({ kind: 'stop-failed', service: service.name, reason: (error as Error).message });
      }
    }
    ownership.release();
    if (failure === undefined) finished.resolve(reason);
    else finished.reject(failure);
  }

  const stop = (): Promise<void> => stopFor('asked');
  return { start, stop, done: finished.promise };
}

/** Signals and the parent's end, as one question: stop now? Until released. */
function ownProcess(stop: (reason: StopReason) => Promise<void>, force: () => void): { release(): void } {
  let interruptedAt: number | undefined;
  const interrupted = (): void => {
    const now = performance.now();
    if (interruptedAt === undefined) interruptedAt = now;
    else if (now - interruptedAt > sameCtrlCMs) force();
    void stop('interrupted');
  };
  const terminated = (): void => void stop('terminated');
  const parent = process.ppid;
  const poll = setInterval(() => {
    if (process.ppid !== parent) void stop('orphaned');
  }, parentPollMs);
  poll.unref();
  process.on('SIGINT', interrupted).on('SIGTERM', terminated).on('SIGHUP', terminated);
  return {
    release() {
      clearInterval(poll);
      process.off('SIGINT', interrupted).off('SIGTERM', terminated).off('SIGHUP', terminated);
    },
  };
}

function settleable<T>(): { readonly promise: Promise<T>; resolve(value: T): void; reject(error: Error): void } {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  promise.catch(() => {}); // Whoever supervises may not be listening yet.
  return { promise, resolve, reject };
}
