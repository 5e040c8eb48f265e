import type { Artifact } from '../core/artifact.ts';
import type { Workplace } from './workplace.ts';

/** Where a version's report can be opened: at the running prediction server, else as a file of the store. `null` where it is in neither. */
export async function reportAddress(
  at: Workplace,
  of: { readonly model: string; readonly segment: string; readonly version: number; readonly report: Artifact<'report'> },
): Promise<string | null> {
  const page = (await at.running())?.page;
  if (page !== undefined) return `${page}/reports/${[of.model, of.segment, of.version].map(encodeURIComponent).join('/')}`;
  const { blobs } = await at.kept();
  return (await blobs.head(of.report.sha256)) === undefined ? null : blobs.open(of.report.sha256);
}
