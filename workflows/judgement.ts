import { executeChild, ParentClosePolicy, sleep } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { Contenders } from '../activities/find-contenders.ts';
import type { Registration } from '../activities/register.ts';
import type { RegisterInput } from '../activities/register.ts';
import type { WriteReportInput } from '../activities/write-report.ts';
import type { Artifact } from '../core/artifact.ts';
import { workflowId } from '../core/ids.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { Verdict } from '../core/registry-entry.ts';
import { faultOf } from './coded-error.ts';
import { deploy } from './deploy.ts';
import type { Promotion } from './deploy.ts';
import { examine } from './exam.ts';
import type { ExamModel, ExamResult } from './exam.ts';
import type { PreparedRows } from './prepare.ts';
import { subjectOf } from './search-attributes.ts';
import { steps } from './steps.ts';

/** So often a version is judged again because the champion changed before it could be promoted; then something else is wrong. */
export const mostJudgements = 5;

/** Who sits an exam. */
export interface Examinees {
  readonly spec: ModelSpec;
  readonly segment: string;
  readonly data: PreparedRows;
  readonly exams: readonly ExamModel[];
}

/** A version with all that its exam needs to be sat again: pointers only. */
export interface Trial extends Examinees {
  readonly by: string;
  readonly pack: Artifact<'package'>;
  readonly registered: Omit<RegisterInput['registered'], 'evaluation' | 'report'>;
}

export interface Judgement {
  readonly evaluation: Artifact<'evaluation'>;
  readonly verdict: Verdict;
  /** The champion that it is about. */
  readonly against: number | null;
  readonly models: ExamResult['models'];
}

/** The exam and the gate. */
export async function judge(who: Examinees, contenders: Contenders): Promise<Judgement> {
  const { spec, data, exams } = who;
  const { fold, examined: model, preprocessor } = exams.at(-1)!;
  const { evaluation, models } = await examine({ ...who, contenders });
  const benchmark = await steps.benchmarkModel({ spec, rows: data.rows, split: fold.split, model, preprocessor });
  const verdict = await steps.judge({ spec, evaluation, benchmark, contenders });
  return { evaluation, verdict, against: contenders.champion?.version ?? null, models };
}

/** The same version against today's champion. What did not change comes from the cache. */
export async function judgeAgain(trial: Trial): Promise<Judgement> {
  const { spec, segment, registered } = trial;
  return judge(trial, await steps.findContenders({ spec, segment, seen: registered.seen, examined: null }));
}

/**
 * Write a judgement into the registry, with a report of its own. The version and its package, whose card tells of the first exam, stay the same;
 * verdict, evaluation and report are those of the last judgement.
 */
export async function enter(trial: Trial, judgement: Judgement): Promise<Registration & { readonly report: Artifact<'report'> }> {
  const { spec, segment, by, data, exams, pack, registered } = trial;
  const { evaluation, verdict, against, models } = judgement;
  const exam = exams.at(-1)!;
  const { rows, rowCount, contract, profile, window } = data;
  const { parts } = exam.fold;
  const about = { spec, segment, window, rows, rowCount, parts, contract, profile, candidates: exam.candidates, chosen: exam.best, pack };
  const report = await steps.writeReport({ ...about, evaluation, verdict, models } satisfies WriteReportInput);
  const registration = await steps.register({ spec, segment, verdict, by, against, registered: { ...registered, evaluation, report } });
  return { ...registration, report };
}

/** Deploys a version. `false` when another champion came first, or another deployment is on its way; the `last` time that is an error. */
export async function bring(request: Promotion, last: boolean): Promise<boolean> {
  const { model, segment, version } = request;
  try {
    await executeChild(deploy, {
      workflowId: workflowId.deploy(model, segment),
      staticSummary: `deploy ${model}, ${segment} v${version}`,
      typedSearchAttributes: subjectOf({ model, segment, version }),
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      args: [request],
    });
    return true;
  } catch (error) {
    const busy = error instanceof WorkflowExecutionAlreadyStartedError;
    if (last || !(busy || faultOf(error).code === 'ChampionChanged')) throw error;
    if (busy) await sleep('1 second');
    return false;
  }
}
