import type { Artifact } from '../core/artifact.ts';
import { MlError } from '../core/errors.ts';
import type { Workplace } from './workplace.ts';

/** Where a version's report can be opened: at the running prediction server, else as a file of the store. `null` where it is in neither. */
export async function reportAddress(
  at: Workplace,
  of: { readonly model: string; readonly segment: string; readonly version: number; readonly report: Artifact<'report'> },
): Promise<string | null> {
  const page = (await at.running())?.page;
  if (page !== undefined) return `${page}/reports/${[of.model, of.segment, of.version].map(encodeURIComponent).join('/')}`;
  const kept = await at.kept().catch((error: unknown) => {
    // The worker that made it may keep its store where this machine does not look.
    if (error instanceof MlError && error.code === 'StoreMissing') return undefined;
    throw error;
  });
  if (kept === undefined) return null;
  const { blobs } = kept;
  return (await blobs.head(of.report.sha256)) === undefined ? null : blobs.open(of.report.sha256);
}
