import type { Step } from './ports.ts';
import type { Ports } from './ports.ts';
import { acceptSpec } from './accept-spec.ts';
import { archiveRun } from './archive-run.ts';
import { benchmarkModel } from './benchmark-model.ts';
import { buildRows } from './build-rows.ts';
import { checkContract } from './check-contract.ts';
import { checkLeaks } from './check-leaks.ts';
import { chooseModel } from './choose-model.ts';
import { composePackage } from './compose-package.ts';
import { enact } from './enact.ts';
import { evaluateModel } from './evaluate-model.ts';
import { findContenders } from './find-contenders.ts';
import { finishModel } from './finish-model.ts';
import { fitPreprocessing } from './fit-preprocessing.ts';
import { judge } from './judge.ts';
import { leaveOutSeen } from './leave-out-seen.ts';
import { listSegments } from './list-segments.ts';
import { lookForNews } from './look-for-news.ts';
import { observeSource } from './observe-source.ts';
import { predictModel } from './predict-model.ts';
import { promote } from './promote.ts';
import { readApplied } from './read-applied.ts';
import { readVersion } from './read-version.ts';
import { recordDecision } from './record-decision.ts';
import { register } from './register.ts';
import { snapshotHistory } from './snapshot-history.ts';
import { snapshotSource } from './snapshot-source.ts';
import { splitRows } from './split-rows.ts';
import { supersedeOlder } from './supersede-older.ts';
import { sweepRuns } from './sweep-runs.ts';
import { trainModel } from './train-model.ts';
import { writeReport } from './write-report.ts';

/** Every step, with what it works on. */
export function createSteps(ports: Ports) {
  return {
    acceptSpec: acceptSpec(ports),
    readApplied: readApplied(ports),
    readVersion: readVersion(ports),
    listSegments: listSegments(ports),
    lookForNews: lookForNews(ports),
    observeSource: observeSource(ports),
    snapshotSource: snapshotSource(ports),
    checkContract: checkContract(ports),
    buildRows: buildRows(ports),
    splitRows: splitRows(ports),
    checkLeaks: checkLeaks(ports),
    fitPreprocessing: fitPreprocessing(ports),
    trainModel: trainModel(ports),
    chooseModel: chooseModel(ports),
    finishModel: finishModel(ports),
    leaveOutSeen: leaveOutSeen(ports),
    predictModel: predictModel(ports),
    evaluateModel: evaluateModel(ports),
    benchmarkModel: benchmarkModel(ports),
    findContenders: findContenders(ports),
    judge: judge(ports),
    snapshotHistory: snapshotHistory(ports),
    composePackage: composePackage(ports),
    writeReport: writeReport(ports),
    register: register(ports),
    promote: promote(ports),
    recordDecision: recordDecision(ports),
    supersedeOlder: supersedeOlder(ports),
    enact: enact(ports),
    archiveRun: archiveRun(ports),
    sweepRuns: sweepRuns(ports),
  };
}

/** The steps as a workflow sees them: plain input to plain output. */
export type Steps = {
  readonly [S in keyof ReturnType<typeof createSteps>]: ReturnType<typeof createSteps>[S] extends Step<infer Input, infer Output>
    ? (input: Input) => Promise<Output>
    : never;
};
