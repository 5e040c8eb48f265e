import type { MadeRecord } from '../core/artifact.ts';
import { literal } from '../core/sql.ts';
import type { LineageIndex } from './lineage-index.ts';

/** What made some artifacts, and what made their inputs, oldest first: of all that `readMade` reads these records, from the index. */
export async function madeWithInputs(index: LineageIndex, digests: readonly string[]): Promise<readonly MadeRecord[]> {
  const { answer } = await index.ask(async (db) => {
    const recordsOf = async (wanted: readonly string[]): Promise<readonly MadeRecord[]> => {
      if (wanted.length === 0) return [];
      const rows = await db.rows(`SELECT record FROM made WHERE sha256 IN (${wanted.map(literal).join(', ')}) ORDER BY key`);
      return rows.map(({ record }) => JSON.parse(String(record)) as MadeRecord);
    };
    const inputs = (await recordsOf(digests)).flatMap(({ provenance }) => Object.values(provenance.inputs));
    return recordsOf([...new Set([...digests, ...inputs])]);
  });
  return [...answer].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}
