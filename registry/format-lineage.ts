import type { Run } from '../core/artifact.ts';
import type { Lineage, LineageNode } from '../core/lineage.ts';

const short = (sha256: string): string => sha256.slice(0, 12);
const minute = (at: string): string => `${at.slice(0, 16).replace('T', ' ')} UTC`;
const inRun = (run: Pick<Run, 'workflowId' | 'runId'> | null): string => (run === null ? '' : ` in ${run.workflowId} (${run.runId})`);

/** Lineage as two text trees: what made the subject, then what it made. */
export function formatLineage({ upstream, downstream }: Lineage): string {
  const made =
    downstream.edges.length === 0 ? ['nothing yet'] : downstream.edges.flatMap((edge, at) => branch(edge, at === downstream.edges.length - 1, ''));
  return [describe(upstream), ...children(upstream, ''), '', 'made from it:', ...made].join('\n');
}

function children(node: LineageNode, indent: string): string[] {
  return node.edges.flatMap((edge, at) => branch(edge, at === node.edges.length - 1, indent));
}

function branch({ as, node }: LineageNode['edges'][number], last: boolean, indent: string): string[] {
  const line = `${indent}${last ? '└─' : '├─'} ${as}: ${describe(node)}${node.repeated ? ' (shown above)' : ''}`;
  return [line, ...children(node, `${indent}${last ? '   ' : '│  '}`)];
}

function describe(node: LineageNode): string {
  switch (node.type) {
    case 'version': {
      const { status, at, by, run } = node.version;
      return `${node.reference}, ${status}, registered ${minute(at)} by ${by}${inRun(run)}`;
    }
    case 'artifact': {
      const { artifact, provenance, by, at, usedBy } = node;
      const used = usedBy.length === 0 ? '' : `, used again by ${usedBy.length} ${usedBy.length === 1 ? 'run' : 'runs'}`;
      return `${artifact.kind} ${short(artifact.sha256)}, ${sizeOf(artifact.bytes)}, made by ${provenance.step} ${minute(at)}${inRun(by)}${used}`;
    }
    case 'file':
      return `file ${node.path} ${short(node.sha256)}, ${sizeOf(node.bytes)}`;
    case 'origin':
      return `${short(node.sha256)}, from outside`;
    case 'promotion': {
      const { from, until, by, run, verdict, reason } = node.reign;
      return `champion from ${minute(from)}${until === undefined ? '' : ` until ${minute(until)}`} by ${by}${inRun(run)}, ${verdict}: ${reason}`;
    }
  }
}

/** Decimal units, as disks are sold: `1.2 MB`. */
function sizeOf(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return power === 0 ? `${bytes} bytes` : `${(bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}
