import { executeChild, ParentClosePolicy, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import { workflowId } from '../core/ids.ts';
import { allRows } from '../core/segment.ts';
import type { TrainOutcome, TrainRequest } from '../core/run.ts';
import { deploy } from './deploy.ts';
import { describeTraining } from './details.ts';
import { examine, fitBest, fitOn } from './exam.ts';
import { prepare } from './prepare.ts';
import { runLog } from './progress.ts';
import { steps } from './steps.ts';

const metricKey = defineSearchAttributeKey('MlMetric', 'DOUBLE');
const versionKey = defineSearchAttributeKey('MlVersion', 'KEYWORD');
const dataTimeKey = defineSearchAttributeKey('MlDataTime', 'DATETIME');
const inputsKey = defineSearchAttributeKey('MlInputs', 'KEYWORD_LIST');

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
    { key: dataTimeKey, value: new Date(window.to) },
    { key: inputsKey, value: Object.values(data.snapshots).map(({ sha256 }) => sha256.slice(0, 16)) },
  ]);

  const exams = await Promise.all(folds.map((fold) => fitBest(spec, data, fold)));
  const exam = exams.at(-1)!;
  const seen = { rows, splits: folds.map(({ split }) => split) };
  const contenders = await steps.findContenders({ spec, segment, seen, examined: exam.examined });
  if (contenders.unchanged !== null) return conclude({ outcome: 'unchanged', model, segment, ...contenders.unchanged });

  const { evaluation } = await examine({ spec, segment, data, exams, contenders });
  const benchmark = await steps.benchmarkModel({ spec, rows, split: exam.fold.split, model: exam.examined, preprocessor: exam.preprocessor });
  const verdict = await steps.judge({ spec, evaluation, benchmark, contenders });

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
  const report = await steps.writeReport({
    spec,
    segment,
    window,
    rows,
    rowCount: data.rowCount,
    contract: data.contract,
    profile: data.profile,
    evaluation,
    verdict,
    candidates: exam.candidates,
    chosen: exam.best,
    pack,
  });

  const { version } = await steps.register({
    spec,
    segment,
    verdict,
    by,
    against: contenders.champion?.version ?? null,
    registered: {
      package: pack,
      window,
      rows: data.rowCount,
      observed: data.observed,
      spec: specArtifact,
      evaluation,
      report,
      examined: exam.examined,
      examinedItems: exam.preprocessor,
      seen,
      history,
    },
  });
  upsertSearchAttributes([
    { key: versionKey, value: `v${version}` },
    { key: metricKey, value: verdict.value },
  ]);

  const outcome = { model, segment, version, package: pack, evaluation, report, verdict, window };
  if (verdict.name !== 'better' && verdict.name !== 'not-worse') return conclude({ outcome: 'rejected', ...outcome });
  await executeChild(deploy, {
    workflowId: workflowId.deploy(model, segment),
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    args: [{ model, segment, version, expect: contenders.champion?.version ?? null, verdict: verdict.name, by }],
  });
  return conclude({ outcome: 'promoted', ...outcome });
}

function conclude(outcome: TrainOutcome): TrainOutcome {
  setCurrentDetails(describeTraining(outcome));
  runLog.headline = outcome.outcome === 'unchanged' ? outcome.reason : `v${outcome.version} is ${outcome.verdict.name}`;
  return outcome;
}
