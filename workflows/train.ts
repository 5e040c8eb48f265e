import { ParentClosePolicy, setCurrentDetails, startChild, upsertSearchAttributes } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { isWorthy } from '../core/gate.ts';
import { allRows } from '../core/segment.ts';
import type { TrainOutcome, TrainRequest } from '../core/run.ts';
import { decide } from './decide.ts';
import { decideStart } from './decide-start.ts';
import type { DecideRequest } from './decide-start.ts';
import { describeTraining } from './details.ts';
import { fitBest, refit } from './exam.ts';
import { bring, enter, judge, judgeAgain, mostJudgements } from './judgement.ts';
import type { Trial } from './judgement.ts';
import { prepare } from './prepare.ts';
import { runLog } from './progress.ts';
import { searchKeys } from './search-attributes.ts';
import { steps } from './steps.ts';

/**
 * The story of a training run: read and check the sources, make rows, let the candidates compete on the validation rows, let the best sit the exam
 * beside the baselines and the champion, judge, refit, pack, register, and deploy what is worthy, or ask those whose approval it needs.
 */
export async function train(request: TrainRequest): Promise<TrainOutcome> {
  const segment = request.segment ?? allRows;
  const by = request.by ?? 'unknown';
  const { spec, specArtifact } = await steps.acceptSpec({ spec: request.spec });
  const model = spec.name;

  const data = await prepare(spec, segment, request);
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

  let judgement = await judge({ spec, segment, data, exams }, contenders);
  const served = spec.refit === 'none' ? { model: exam.examined, preprocessor: exam.preprocessor } : await refit(spec, data, exam);
  const history = await steps.snapshotHistory({ spec, rows });
  const pack = await steps.composePackage({
    spec,
    specArtifact,
    segment,
    window,
    rows,
    split: exam.fold.split,
    chosen: exam.chosen,
    evaluation: judgement.evaluation,
    model: served.model,
    preprocessor: served.preprocessor,
  });
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
  const trial: Trial = { spec, segment, by, data, exams, pack, registered };

  // A promotion holds only against the champion that was judged against. If that changed, the version is judged again.
  for (let judgements = 1; ; judgements++) {
    const { version, approval, report } = await enter(trial, judgement);
    const { evaluation, verdict, against } = judgement;
    upsertSearchAttributes([
      { key: searchKeys.version, value: `v${version}` },
      { key: searchKeys.metric, value: verdict.value },
    ]);
    const outcome = { model, segment, version, package: pack, evaluation, report, verdict, window };
    if (approval) {
      const subject = { model, segment, version, package: pack.sha256, evaluation: evaluation.sha256, expect: against };
      await ask({ subject, approval, verdict, trial });
      return conclude({ outcome: 'awaiting-decision', ...outcome });
    }
    if (!isWorthy(verdict.name)) return conclude({ outcome: 'rejected', ...outcome });
    if (await bring({ model, segment, version, expect: against, verdict: verdict.name, by }, judgements === mostJudgements)) {
      return conclude({ outcome: 'promoted', ...outcome });
    }
    judgement = await judgeAgain(trial);
  }
}

/** Asks for an approval, and does not wait for it: days may pass, in which a schedule goes on and a worker's build may go. */
async function ask(request: DecideRequest): Promise<void> {
  try {
    await startChild(decide, { ...decideStart(request), parentClosePolicy: ParentClosePolicy.ABANDON });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

function conclude(outcome: TrainOutcome): TrainOutcome {
  setCurrentDetails(describeTraining(outcome));
  runLog.headline = outcome.outcome === 'unchanged' ? outcome.reason : `v${outcome.version} is ${outcome.verdict.name}`;
  return outcome;
}
