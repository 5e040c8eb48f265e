import {
  allHandlersFinished,
  condition,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  log,
  setCurrentDetails,
  setHandler,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';
import { mismatch, type Signed } from '../core/decision.ts';
import { durationMs } from '../core/duration.ts';
import { MlError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { isWorthy } from '../core/gate.ts';
import { workflowId } from '../core/ids.ts';
import type { DecideOutcome, Standing } from '../core/run.ts';
import { asFailure, faultOf } from './coded-error.ts';
import type { DecideRequest } from './decide-start.ts';
import { describeDecision, describeWaiting } from './details.ts';
import { bring, enter, judgeAgain, mostJudgements } from './judgement.ts';
import { runLog } from './progress.ts';
import { steps, stepsWith } from './steps.ts';

/** Approve or reject. The answer is the decision that stands in the log. */
export const decideUpdate = defineUpdate<Standing, [Signed]>('decide');
/** A newer challenger came, whose number this is. */
export const supersededSignal = defineSignal<[number]>('superseded');

/** What nobody waits for may wait for the store. */
const patiently = stepsWith({ scheduleToCloseTimeout: '7 days' });

/** There is no such version, or it awaits nothing: nobody will ever decide here. */
const hopeless: readonly ErrorCode[] = ['ModelUnknown', 'VersionUnknown', 'RequestInvalid'];

/**
 * Wait until somebody who may decides about a version, and bring it if they approve. Where nobody does, it expires; where a newer challenger comes,
 * it is superseded. Each is one entry in the log, which is the truth: this run only waits for it.
 */
export async function decide(request: DecideRequest): Promise<DecideOutcome> {
  const { subject, approval } = request;
  let standing: Standing | undefined;
  let deciding: string | undefined;
  let newer: number | undefined;
  let fault: unknown;

  setHandler(
    decideUpdate,
    async (signed) => {
      // At once, so that whoever comes second is refused before anything is written.
      deciding = `${signed.statement.decision} by ${signed.statement.by}`;
      try {
        standing = await steps.recordDecision({ subject, signed });
      } catch (error) {
        // A decision that does not count, or a store that is away, leaves it open.
        if (hopeless.includes(faultOf(error).code)) fault = error;
        throw error;
      } finally {
        deciding = undefined;
      }
      if (!standing.own) throw taken(request, standing);
      return standing;
    },
    { validator: (signed) => refuse(request, signed, standing, deciding) },
  );
  setHandler(supersededSignal, (version) => void (newer = version));

  const deadline = Date.now() + durationMs(approval.within);
  const every = approval.remind === undefined ? Infinity : durationMs(approval.remind);
  tell(describeWaiting(request, deadline, 0));
  await supersede(request);

  for (let reminders = 0, next = Date.now() + every; ;) {
    const called = () => deciding !== undefined || standing !== undefined || newer !== undefined || fault !== undefined;
    await condition(called, Math.max(1, Math.min(deadline, next) - Date.now()));
    // What was decided counts, not what woke us: a decision may come in the very moment in which the time runs out.
    await condition(() => deciding === undefined);
    if (standing !== undefined || fault !== undefined) break;
    if (newer !== undefined || Date.now() >= deadline) {
      const unheard =
        newer === undefined
          ? ({ decision: 'expired', reason: `nobody decided within ${approval.within}` } as const)
          : ({ decision: 'superseded', reason: `version ${newer} came after it` } as const);
      deciding = unheard.reason;
      try {
        standing = await patiently.recordDecision({ subject, ...unheard });
        break;
      } catch (error) {
        // Anybody can send a signal. Where the log knows of no newer version, this one goes on waiting.
        if (newer === undefined || faultOf(error).code !== 'ApprovalRefused') throw error;
        newer = deciding = undefined;
        continue;
      }
    }
    if (Date.now() < next) continue; // somebody tried in vain
    next += every;
    tell(describeWaiting(request, deadline, ++reminders));
    log.warn('a version awaits a decision', { ...subject, role: approval.role, until: new Date(deadline).toISOString() });
  }
  await condition(allHandlersFinished);
  if (standing === undefined) throw fault;
  return conclude(request, await follow(request, standing));
}

/** Cheap, pure checks, before anything is written into the history: is it about this, and is it open? */
function refuse({ subject }: DecideRequest, { statement }: Signed, standing: Standing | undefined, deciding: string | undefined): void {
  const name = `${subject.model}/${subject.segment}@${subject.version}`;
  if (standing !== undefined) throw taken({ subject }, standing);
  if (deciding !== undefined) throw asFailure(new MlError('DecisionTaken', `${name} is being decided: ${deciding}`, { deciding }));
  const isAnswer = statement.decision === 'approved' || statement.decision === 'rejected';
  const wrong = isAnswer ? mismatch(statement, subject) : `it says "${String(statement.decision)}", not approved or rejected`;
  if (wrong !== undefined) {
    throw asFailure(
      new MlError('ApprovalRefused', `the statement of "${statement.by}" is not about what awaits a decision: ${wrong}`, { statement }),
    );
  }
}

function taken({ subject }: Pick<DecideRequest, 'subject'>, { decision, by, at, entry, reason }: Standing) {
  const name = `${subject.model}/${subject.segment}@${subject.version}`;
  return asFailure(
    new MlError('DecisionTaken', `${name} is ${decision} since ${at}, by ${by} (entry ${entry}: ${reason}); it is decided once`, {
      decision,
      by,
      at,
      entry,
    }),
  );
}

/** The older challengers of a segment are nobody's business any more. The log says so first: their runs may be gone. */
async function supersede({ subject: { model, segment, version } }: DecideRequest): Promise<void> {
  const { superseded } = await patiently.supersedeOlder({ model, segment, version });
  for (const older of superseded) {
    const { signal } = getExternalWorkflowHandle(workflowId.decide(model, segment, older));
    await signal(supersededSignal, version).catch(() =>
      log.info('no run waits for a superseded version any more', { model, segment, version: older }),
    );
  }
}

/** What follows from a decision. Approved is a version for today's traffic, so where the champion changed meanwhile it is judged again first. */
async function follow({ subject, trial, verdict: approved }: DecideRequest, standing: Standing): Promise<DecideOutcome> {
  const { model, segment, version } = subject;
  const { decision, by, reason, entry } = standing;
  const outcome = { model, segment, version, decision, by, reason, entry };
  if (decision !== 'approved') return { outcome: decision, ...outcome };
  if (standing.since !== null) return { outcome: standing.since, ...outcome };

  let { verdict } = standing;
  let expect = subject.expect;
  for (let attempts = 1; ; attempts++) {
    const promotion = { model, segment, version, expect, verdict: verdict.name, by, reason: `approved by ${by}: ${reason}` };
    if (await bring(promotion, trial === undefined || attempts === mostJudgements)) return { outcome: 'promoted', ...outcome };
    const judgement = await judgeAgain(trial!);
    await enter(trial!, judgement);
    ({ verdict, against: expect } = judgement);
    // What no exam could compare was approved as such, and still cannot be compared.
    if (!isWorthy(verdict.name) && verdict.name !== approved.name) return { outcome: 'rejected', ...outcome };
  }
}

function tell(details: string): void {
  setCurrentDetails(details);
  runLog.headline = details.split('\n')[0]!.replace(/^#+ /, '');
}

function conclude(request: DecideRequest, outcome: DecideOutcome): DecideOutcome {
  tell(describeDecision(request, outcome));
  return outcome;
}

// It may wait for days: with Worker Versioning it goes on with the build of the day, and keeps none alive. Without, a server refuses to hear of it.
setWorkflowOptions(() => (workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'AUTO_UPGRADE' } : {}), decide);
