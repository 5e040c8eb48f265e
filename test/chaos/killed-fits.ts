import type { Progress } from '../../core/step-context.ts';
import { MlError } from '../../core/errors.ts';
import type { Step } from '../../activities/ports.ts';
import type { TrainedModel, TrainModelInput } from '../../activities/train-model.ts';
import type { Random } from '../../core/random.ts';

/** One attempt of one fit, as it was heard of. Shares are of the trainer's own progress, 0–1. */
export interface Attempt {
  readonly trainer: string;
  /** The trainer with its parameters and rows. */
  readonly fit: string;
  /** The first and the last share that the trainer told; `undefined` where it told none before its end. */
  first?: number;
  last?: number;
  /** From its first word to its last. */
  toldMs: number;
  /** All of it, the reading of rows included; 0 until it has ended. */
  ms: number;
  end: 'done' | 'killed';
  /** SHA-256 of the record that it left, learning curve and all. */
  model?: string;
}

/** Watches the fits of a worker, and kills the process that one runs in at moments that a seed chooses. */
export interface Killer {
  readonly attempts: readonly Attempt[];
  /** Stands around the worker's step. */
  around(step: Step<never, unknown>): Step<never, unknown>;
}

export interface KillPlan {
  /** Fits of other trainers, the gate's baselines, are let alone. */
  readonly trainer: string;
  /** How many kills at most. */
  readonly kills: number;
  readonly draw: Random;
  /** How long each fit takes when it is left alone, and how much of it the trainer tells of. */
  readonly calm: readonly Attempt[];
  readonly pids: () => readonly number[];
}

/** A fit that is killed so often is then let alone: Temporal waits longer and longer between its attempts. */
const mostKillsOfOneFit = 5;
/** A moment comes so late after a word of the trainer, so that it may fall into the saving of a checkpoint, or after it. */
const mostDelayMs = 300;
/** A trainer that tells of itself for less is killed at a random time from the beginning of its step, the reading of rows included. */
const quickMs = 1000;

export function killer(plan?: KillPlan): Killer {
  const attempts: Attempt[] = [];
  const killed = () => attempts.filter(({ end }) => end === 'killed').length;

  function arm(attempt: Attempt): (share: number) => void {
    if (plan?.trainer !== attempt.trainer || killed() >= plan.kills) return () => {};
    if (attempts.filter(({ fit, end }) => fit === attempt.fit && end === 'killed').length >= mostKillsOfOneFit) return () => {};
    const { draw, pids } = plan;
    const kill = (): void => pids().forEach((pid) => process.kill(pid, 'SIGKILL'));
    const calm = plan.calm.find(({ fit }) => fit === attempt.fit)!;
    if (isQuick(calm)) {
      setTimeout(() => attempt.ms === 0 && kill(), draw.next() * calm.ms);
      return () => {};
    }
    const [drawn, delayMs] = [draw.next(), draw.next() * mostDelayMs];
    let armed = true;
    return (share) => {
      if (!armed || share < attempt.first! + drawn * (1 - attempt.first!)) return;
      armed = false;
      setTimeout(() => attempt.ms === 0 && kill(), delayMs);
    };
  }

  return {
    attempts,
    around: (step) => async (given, context) => {
      const { parts, trainer, parameters } = given as unknown as TrainModelInput;
      const attempt: Attempt = { trainer, fit: `${trainer} ${JSON.stringify(parameters)} on ${parts}`, toldMs: 0, ms: 0, end: 'done' };
      const hear = arm(attempt);
      attempts.push(attempt);
      const began = performance.now();
      let firstAt: number | undefined;
      const heartbeat = (progress?: Progress): void => {
        const share = shareOf(trainer, progress);
        if (share !== undefined) {
          attempt.first ??= share;
          attempt.last = share;
          firstAt ??= performance.now();
          attempt.toldMs = performance.now() - firstAt;
          hear(share);
        }
        context.heartbeat(progress);
      };
      try {
        const trained = (await step(given, { ...context, heartbeat })) as TrainedModel;
        attempt.model = trained.model.sha256;
        return trained;
      } catch (error) {
        if (error instanceof MlError && error.code === 'TrainingCrashed') attempt.end = 'killed';
        throw error;
      } finally {
        attempt.ms = performance.now() - began;
      }
    },
  };
}

export const isQuick = ({ toldMs }: Attempt): boolean => toldMs < quickMs;

function shareOf(trainer: string, progress?: Progress): number | undefined {
  if (progress?.step !== trainer || progress.done === undefined || progress.total === undefined) return undefined;
  return progress.done / progress.total;
}
