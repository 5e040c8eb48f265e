import type { ActivityOptions } from '@temporalio/workflow';
import { ActivityCancellationType } from '@temporalio/workflow';
import type { Steps } from '../activities/index.ts';
import type { Signed } from '../core/decision.ts';
import { finishOf } from '../core/finish.ts';
import type { Role } from '../core/ids.ts';

/** A step that answers within seconds: a look at a source, a decision, an entry in a log. */
const quick = {
  startToCloseTimeout: '20 seconds',
  scheduleToCloseTimeout: '10 minutes',
  retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' },
} as const satisfies ActivityOptions;

/**
 * A step of minutes or hours. It heartbeats, so that a killed worker costs seconds; it is told of a cancellation and cleans up before the run
 * ends; it is tried again until it succeeds or a day has passed, since a worker may be away for long.
 */
const work = {
  startToCloseTimeout: '12 hours',
  scheduleToCloseTimeout: '24 hours',
  heartbeatTimeout: '10 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '500 milliseconds', maximumInterval: '10 seconds' },
} as const satisfies ActivityOptions;

/** A project's own step: of unknown length. Its worker heartbeats for it. */
export const own: typeof work = work;

export interface Policy<Input> {
  readonly options: ActivityOptions;
  readonly role: Role;
  /** One line for the web UI. */
  readonly summary: (input: Input) => string;
}

/** How each step is called. A step that is not here does not compile. */
export const policies: { readonly [S in keyof Steps]: Policy<Parameters<Steps[S]>[0]> } = {
  acceptSpec: { options: quick, role: 'control', summary: ({ spec }) => `spec of ${spec.name}` },
  readApplied: { options: quick, role: 'control', summary: ({ model }) => `applied spec of ${model}` },
  readVersion: { options: quick, role: 'control', summary: ({ model, segment, which }) => `${which} version of ${model}, ${segment}` },
  observeSource: { options: work, role: 'control', summary: ({ source }) => `look at ${source}` },
  snapshotSource: { options: work, role: 'compute', summary: ({ source }) => `read ${source}` },
  checkContract: { options: work, role: 'compute', summary: ({ spec }) => `check the contract of ${spec.name}` },
  buildRows: { options: work, role: 'compute', summary: ({ spec, segment }) => `rows of ${spec.name}, ${segment}` },
  splitRows: { options: work, role: 'compute', summary: ({ spec }) => `split by ${spec.split.by}` },
  checkLeaks: { options: work, role: 'compute', summary: ({ fold }) => `look for leaks, fold ${fold.name}` },
  leaveOutSeen: { options: work, role: 'compute', summary: () => 'leave out what a contender has seen' },
  fitPreprocessing: {
    options: work,
    role: 'compute',
    summary: ({ parts }) => `encode, fitted on ${parts === 'all' ? 'all rows' : parts.join(' + ')}`,
  },
  trainModel: { options: work, role: 'compute', summary: ({ trainer, parameters }) => `${trainer} ${brief(parameters)}` },
  chooseModel: { options: quick, role: 'control', summary: ({ candidates }) => `best of ${candidates.length} on the validation rows` },
  finishModel: { options: work, role: 'compute', summary: ({ spec }) => `${Object.keys(finishOf(spec) ?? {}).join(', ')} from the validation rows` },
  predictModel: { options: work, role: 'compute', summary: ({ contender }) => `exam of ${contender}` },
  evaluateModel: { options: work, role: 'compute', summary: ({ spec }) => `evaluation in ${spec.gate?.metric ?? 'the task’s metric'}` },
  benchmarkModel: { options: work, role: 'compute', summary: () => 'latency' },
  findContenders: { options: quick, role: 'control', summary: ({ spec, segment }) => `who ${spec.name}, ${segment} must beat` },
  judge: { options: quick, role: 'control', summary: () => 'verdict' },
  snapshotHistory: { options: work, role: 'compute', summary: () => 'histories for requests by user' },
  composePackage: { options: work, role: 'compute', summary: ({ spec, segment }) => `package of ${spec.name}, ${segment}` },
  writeReport: { options: work, role: 'control', summary: () => 'report' },
  register: { options: quick, role: 'control', summary: ({ spec, segment }) => `register ${spec.name}, ${segment}` },
  promote: { options: quick, role: 'control', summary: ({ model, segment, version }) => `promote ${model}, ${segment} v${version}` },
  recordDecision: { options: quick, role: 'control', summary: (input) => ('signed' in input ? decided(input.signed) : input.decision) },
  supersedeOlder: { options: quick, role: 'control', summary: ({ version }) => `supersede what awaits a decision before v${version}` },
  enact: { options: quick, role: 'control', summary: ({ signed }) => decided(signed) },
  lookForNews: { options: work, role: 'control', summary: ({ spec, segment }) => `is anything new for ${spec.name}, ${segment}?` },
  listSegments: { options: quick, role: 'control', summary: ({ spec }) => `segments of ${spec.name}` },
  archiveRun: { options: { ...quick, scheduleToCloseTimeout: '2 minutes' }, role: 'control', summary: () => 'archive this run' },
  sweepRuns: { options: work, role: 'control', summary: () => 'archive closed runs' },
};

const decided = ({ statement: { decision, version, by } }: Signed): string => `v${version} ${decision} by ${by}`;

function brief(parameters: unknown): string {
  const text = JSON.stringify(parameters) ?? '';
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
