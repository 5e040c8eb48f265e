import type { MadeRecord } from '../core/artifact.ts';
import { literal } from '../core/sql.ts';
import { explainFrom, lookBack } from '../registry/explain-run.ts';
import type { RunExplanation } from '../registry/explain-run.ts';
import { readUsed } from '../stores/artifact-store.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import type { LineageIndex } from './lineage-index.ts';

/** As `explainRun` of the registry, with an index. @throws {MlError} `RunUnknown` */
export async function indexedExplanation(index: LineageIndex, store: ObjectStore, runId: string): Promise<RunExplanation> {
  const used = await readUsed(store, runId);
  const { answer: made } = await index.ask(async (db) => {
    const read = async (where: string): Promise<(readonly [string, MadeRecord])[]> =>
      (await db.rows(`SELECT key, record FROM made WHERE ${where}`)).map(({ key, record }) => [
        String(key),
        JSON.parse(String(record)) as MadeRecord,
      ]);
    const own = await read(`run = ${literal(runId)}`);
    const inputs = own.flatMap(([, { provenance }]) => Object.values(provenance.inputs));
    const others = [
      ...(await read(`sha256 IN (${list(inputs)}) OR provenance IN (${list(used.map(({ provenance }) => provenance))})`)),
      ...(own.length === 0 ? [] : await read(`key IN (${earlierCalls(own.map(([, record]) => record))})`)),
    ];
    return new Map([...own, ...others]);
  });
  const oldestFirst = [...made].sort(([a, { at }], [b, { at: other }]) => (at === other ? (a < b ? -1 : 1) : at < other ? -1 : 1));
  return explainFrom(
    oldestFirst.map(([, record]) => record),
    used,
    runId,
    store.uri,
  );
}

/** Keys of the calls that a run's own are compared with: those beside it, and the last ones before it. Calls of the same moment count as one. */
function earlierCalls(own: readonly MadeRecord[]): string {
  const times = own.map(({ at }) => at).sort();
  const [first, last] = [literal(times[0]!), literal(times.at(-1)!)];
  return `
    SELECT key FROM (
      SELECT key, step, min("at") OVER (PARTITION BY run, provenance) AS began
      FROM made WHERE step IN (${list(own.map(({ provenance }) => provenance.step))}) AND "at" <= ${last}
    )
    QUALIFY began >= ${first} OR dense_rank() OVER (PARTITION BY step, began >= ${first} ORDER BY began DESC) <= ${lookBack}`;
}

/** Never empty, since SQL knows no empty list. */
const list = (values: readonly string[]): string => ['', ...new Set(values)].map(literal).join(', ');
