import { join } from 'node:path';
import type { LineageIndex } from '../lineage/lineage-index.ts';
import type { Workplace } from './workplace.ts';

/** The index of this project's store. It brings DuckDB, so only commands that ask it load it. */
export async function openIndex(at: Workplace): Promise<LineageIndex> {
  const { openLineageIndex } = await import('../lineage/lineage-index.ts');
  return openLineageIndex({ ...(await at.kept()), folder: join(at.settings.home, 'work', 'lineage') });
}
