import { executeChild, ParentClosePolicy, setCurrentDetails, sleep, upsertSearchAttributes } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { Contenders } from '../activities/find-contenders.ts';
import type { Artifact } from '../core/artifact.ts';
import { workflowId } from '../core/ids.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { Verdict } from '../core/registry-entry.ts';
import { allRows } from '../core/segment.ts';
import type { TrainOutcome, TrainRequest } from '../core/run.ts';
import { faultOf } from './coded-error.ts';
import { deploy } from './deploy.ts';
import type { DeployRequest } from './deploy.ts';
import { describeTraining } from './details.ts';
import { examine, fitBest, fitOn } from './exam.ts';
import type { ExamModel } from './exam.ts';
import { prepare } from './prepare.ts';
import type { PreparedRows } from './prepare.ts';
import { runLog } from './progress.ts';
import { searchKeys, subjectOf } from './search-attributes.ts';
import { steps } from './steps.ts';

/** So often a version is judged again because the champion changed before it could be promoted; then something else is wrong. */
const mostJudgements = 5;

/**
 * The story of a training run: read and check the sources, make rows, let the candidates compete on the validation rows, let the best sit the exam
 * beside the baselines and the champion, judge, refit, pack, register, and deploy what is worthy.
 */
export async function train(request: TrainRequest): Promise<TrainOutcome> {
  const segment = request.segment ?? allRows;
  const by = request.by ?? 'unknown';
  const { spec, specArtifact } = await steps.acceptSpec({ spec: request.spec });
  const model = spec.name;

  const data = await prepare(spec, segment, request.window);
  const { rows, window, folds } = data;
  upsertSearchAttributes([
    { key: searchKeys.dataTime, value: new Date(window.to) },
    { key: searchKeys.inputs, value: Object.values(data.snapshots).map(({ sha256 }) => sha256.slice(0, 16)) },
  ]);

  const exams = await Promise.all(folds.map((fold) => fitBest(spec, data, fold)));
  const exam = exams.at(-1)!;
  const seen = { rows, splits: folds.map(({ split }) => split) };
  const contenders = await steps.findContenders({ spec, segment, seen, examined: exam.examined });
  if (contenders.unchanged !== null) return conclude({ outcome: 'unchanged', model, segment, ...contenders.unchanged });

  let { evaluation, verdict } = await judge({ spec, segment, data, exams, contenders });
  const served =
    spec.refit === 'none'
      ? { model: exam.examined, preprocessor: exam.preprocessor }
      : await fitOn({ spec, data, split: exam.fold.split, parts: 'all', ...exam.chosen });
  const history = await steps.snapshotHistory({ spec, rows });
  const pack = await steps.composePackage({
    spec,
    specArtifact,
    segment,
    window,
    rows,
    split: exam.fold.split,
    chosen: exam.chosen,
    evaluation,
    model: served.model,
    preprocessor: served.preprocessor,
  });
  const reported = {
    spec,
    segment,
    window,
    rows,
    rowCount: data.rowCount,
    parts: exam.fold.parts,
    contract: data.contract,
    profile: data.profile,
    candidates: exam.candidates,
    chosen: exam.best,
    pack,
  };
  const registered = {
    package: pack,
    window,
    ...(request.window && { asked: request.window }),
    rows: data.rowCount,
    observed: data.observed,
    spec: specArtifact,
    examined: exam.examined,
    examinedItems: exam.preprocessor,
    seen,
    ...(history && { history }),
  };

  // A promotion holds only against the champion that was judged against. If that changed, the version is judged again. It stays the same version, with
  // the same package, whose card tells of the first exam; verdict, evaluation and report are those of the last judgement.
  let against = contenders.champion?.version ?? null;
  for (let judgements = 1; ; judgements++) {
    const report = await steps.writeReport({ ...reported, evaluation, verdict });
    const { version } = await steps.register({ spec, segment, verdict, by, against, registered: { ...registered, evaluation, report } });
    upsertSearchAttributes([
      { key: searchKeys.version, value: `v${version}` },
      { key: searchKeys.metric, value: verdict.value },
    ]);
    const outcome = { model, segment, version, package: pack, evaluation, report, verdict, window };
    if (verdict.name !== 'better' && verdict.name !== 'not-worse') return conclude({ outcome: 'rejected', ...outcome });
    if (await bring({ model, segment, version, expect: against, verdict: verdict.name, by }, judgements === mostJudgements)) {
      return conclude({ outcome: 'promoted', ...outcome });
    }
    const today = await steps.findContenders({ spec, segment, seen, examined: null });
    against = today.champion?.version ?? null;
    ({ evaluation, verdict } = await judge({ spec, segment, data, exams, contenders: today }));
  }
}

/** The exam and the gate. */
async function judge(what: {
  readonly spec: ModelSpec;
  readonly segment: string;
  readonly data: PreparedRows;
  readonly exams: readonly ExamModel[];
  readonly contenders: Contenders;
}): Promise<{ readonly evaluation: Artifact<'evaluation'>; readonly verdict: Verdict }> {
  const { spec, data, exams, contenders } = what;
  const { fold, examined: model, preprocessor } = exams.at(-1)!;
  const { evaluation } = await examine(what);
  const benchmark = await steps.benchmarkModel({ spec, rows: data.rows, split: fold.split, model, preprocessor });
  return { evaluation, verdict: await steps.judge({ spec, evaluation, benchmark, contenders }) };
}

/** Deploys a version. `false` when another champion came first, or another deployment is on its way; the `last` time that is an error. */
async function bring(request: DeployRequest, last: boolean): Promise<boolean> {
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

function conclude(outcome: TrainOutcome): TrainOutcome {
  setCurrentDetails(describeTraining(outcome));
  runLog.headline = outcome.outcome === 'unchanged' ? outcome.reason : `v${outcome.version} is ${outcome.verdict.name}`;
  return outcome;
}
