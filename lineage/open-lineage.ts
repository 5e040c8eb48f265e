import { type Artifact, artifactsIn, type Run } from '../core/artifact.ts';
import { splitFrom } from '../core/connection.ts';
import type { Lineage, LineageNode } from '../core/lineage.ts';
import type { RunStatus } from '../core/run-status.ts';
import { digestOf } from '../stores/digest.ts';

const producer = 'https://www.npmjs.com/package/perennial-ml';
const spec = 'https://openlineage.io/spec';

/** The form of an event: https://openlineage.io/spec/2-0-2/OpenLineage.json, of which `RunEvent` is what we send. */
export interface OpenLineageEvent {
  readonly eventType: 'START' | 'COMPLETE' | 'FAIL' | 'ABORT';
  readonly eventTime: string;
  readonly producer: string;
  readonly schemaURL: string;
  readonly run: { readonly runId: string; readonly facets: Facets };
  readonly job: { readonly namespace: string; readonly name: string; readonly facets: Facets };
  readonly inputs: readonly Dataset[];
  readonly outputs: readonly Dataset[];
}

type Facets = Readonly<Record<string, unknown>>;

export interface Dataset {
  readonly namespace: string;
  readonly name: string;
  readonly facets?: Facets;
  readonly outputFacets?: Facets;
}

/** Where events say that they come from. */
export interface OpenLineageNames {
  /** Of jobs: the namespace of Temporal. */
  readonly namespace: string;
  /** Of artifacts: the URI of the store. */
  readonly store: string;
  /** Where payloads are encrypted, what an error says is nobody else's business: its code is told, and no more. */
  readonly codesOnly?: boolean;
}

const facet = (name: string, version: string, fields: Facets): Facets => ({
  _producer: producer,
  _schemaURL: `${spec}/facets/${version}/${name}.json#/$defs/${name}`,
  ...fields,
});

/** An artifact is named by its content, so two runs that read the same bytes read one dataset. */
const artifactDataset = ({ kind, sha256 }: { readonly kind: string; readonly sha256: string }, { store }: OpenLineageNames): Dataset => ({
  namespace: store,
  name: `${kind}/${sha256}`,
  facets: { version: facet('DatasetVersionDatasetFacet', '1-0-1', { datasetVersion: sha256 }) },
});

const written = (artifact: Artifact, names: OpenLineageNames): Dataset => ({
  ...artifactDataset(artifact, names),
  outputFacets: { outputStatistics: facet('OutputStatisticsOutputDatasetFacet', '1-0-2', { size: artifact.bytes, fileCount: 1 }) },
});

interface Happened {
  readonly type: OpenLineageEvent['eventType'];
  readonly at: string;
  readonly error?: string;
}

function event(
  { type, at, error }: Happened,
  run: { readonly id: string; readonly facets?: Facets },
  job: { readonly namespace: string; readonly name: string; readonly type: 'DAG' | 'TASK' },
  datasets: { readonly inputs?: readonly Dataset[]; readonly outputs?: readonly Dataset[] } = {},
): OpenLineageEvent {
  const failed = error !== undefined && {
    errorMessage: facet('ErrorMessageRunFacet', '1-0-1', { message: error, programmingLanguage: 'TypeScript' }),
  };
  const jobType = facet('JobTypeJobFacet', '2-0-4', { processingType: 'BATCH', integration: 'PERENNIAL', jobType: job.type });
  return {
    eventType: type,
    eventTime: at,
    producer,
    schemaURL: `${spec}/2-0-2/OpenLineage.json#/$defs/RunEvent`,
    run: { runId: run.id, facets: { ...run.facets, ...failed } },
    job: { namespace: job.namespace, name: job.name, facets: { jobType } },
    inputs: datasets.inputs ?? [],
    outputs: datasets.outputs ?? [],
  };
}

/** A run began. */
export const runStarted = ({ runId, workflowId }: Run, at: string, { namespace }: OpenLineageNames): OpenLineageEvent =>
  event({ type: 'START', at }, { id: uuidOf(runId) }, { namespace, name: workflowId, type: 'DAG' });

const endOf = {
  completed: 'COMPLETE',
  continued: 'COMPLETE',
  failed: 'FAIL',
  'timed-out': 'FAIL',
  cancelled: 'ABORT',
  terminated: 'ABORT',
} as const satisfies Partial<Record<RunStatus['status'], OpenLineageEvent['eventType']>>;

/** A run ended; nothing for one that goes on. */
export function runEnded(
  { runId, workflowId }: Run,
  { status, error }: RunStatus,
  at: string,
  { namespace, codesOnly = false }: OpenLineageNames,
): OpenLineageEvent | undefined {
  if (status === 'running') return undefined;
  const message = error && (codesOnly ? error.code : `${error.code}: ${error.message}`);
  return event({ type: endOf[status], at, ...(message && { error: message }) }, { id: uuidOf(runId) }, { namespace, name: workflowId, type: 'DAG' });
}

/** One attempt of a step. */
export interface StepCall {
  readonly run: Run & { readonly attempt: number };
  readonly step: string;
  readonly input: unknown;
  /** What it returned, once it has. */
  readonly output?: unknown;
}

/** A step began or ended: it read the artifacts that its input points to, and wrote those that its output points to. */
export function stepEvent({ run, step, input, output }: StepCall, happened: Happened, names: OpenLineageNames): OpenLineageEvent {
  const { runId, workflowId, attempt } = run;
  return event(
    happened,
    { id: uuidOf([runId, step, input, attempt]), facets: { parent: parentOf(run, names) } },
    { namespace: names.namespace, name: `${workflowId}.${step}`, type: 'TASK' },
    {
      inputs: [...sourceOf(input), ...artifactsIn(input).map((artifact) => artifactDataset(artifact, names))],
      outputs: artifactsIn(output).map((artifact) => written(artifact, names)),
    },
  );
}

const parentOf = ({ runId, workflowId }: Run, { namespace }: OpenLineageNames): Facets =>
  facet('ParentRunFacet', '1-2-0', { run: { runId: uuidOf(runId) }, job: { namespace, name: workflowId } });

/** The source that a step looks at or reads, by the name of its connection and the path there. */
function sourceOf(input: unknown): Dataset[] {
  const { spec: model, source } = (input ?? {}) as {
    readonly spec?: { readonly sources?: Readonly<Record<string, { from: string }>> };
    readonly source?: unknown;
  };
  const from = typeof source === 'string' ? model?.sources?.[source]?.from : undefined;
  if (from === undefined) return [];
  const { connection, path } = splitFrom(from);
  return [{ namespace: connection, name: path }];
}

/** A UUID that says nothing but which: the id itself where it is one, as Temporal's are; of anything else its digest (UUID version 8, RFC 9562). */
function uuidOf(value: unknown): string {
  if (typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) return value;
  const hex = digestOf(value);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** What made a subject and what it made, as events of steps that have completed: oldest first. */
export function lineageEvents({ upstream, downstream }: Lineage, names: OpenLineageNames): OpenLineageEvent[] {
  const nodes = new Map<string, ArtifactNode>();
  const visit = (node: LineageNode): void => {
    if (node.type === 'artifact') nodes.set(node.artifact.sha256, nodes.get(node.artifact.sha256) ?? node);
    for (const edge of node.edges) visit(edge.node);
  };
  visit(upstream);
  visit(downstream);
  const events = [...nodes.values()].map(({ artifact, provenance, by, at }) => {
    const inputs = Object.values(provenance.inputs).map((sha256) =>
      artifactDataset(nodes.get(sha256)?.artifact ?? { kind: 'content', sha256 }, names),
    );
    return event(
      { type: 'COMPLETE', at },
      { id: uuidOf([by.runId, provenance]), facets: { parent: parentOf(by, names) } },
      { namespace: names.namespace, name: `${by.workflowId}.${provenance.step}`, type: 'TASK' },
      { inputs, outputs: [written(artifact, names)] },
    );
  });
  return events.sort((a, b) => (a.eventTime < b.eventTime ? -1 : 1));
}

type ArtifactNode = Extract<LineageNode, { type: 'artifact' }>;
