import { connectionOf, type Connections, type ReadSecret } from '../../core/connection.ts';
import type { SourceSpec } from '../../core/model-spec.ts';
import type { DataContext } from '../../data/duckdb.ts';
import { readers, snapshotAsObserved } from '../../data/sources/index.ts';
import type { Observation, SnapshotFacts } from '../../data/sources/reader.ts';

/** A source, and connections to read it with. */
export interface SourceInput {
  readonly name: string;
  readonly source: SourceSpec;
  readonly connections: Connections;
  readonly readSecret: ReadSecret;
}

const requestOf = ({ name, source, connections, readSecret }: SourceInput) => ({
  name,
  source,
  readSecret,
  ...connectionOf(connections, source.from),
});

/** Looks at a source as a step does. */
export const observeSource = async (input: SourceInput, context: DataContext): Promise<Observation> =>
  readers[input.source.read].observe(requestOf(input), context);

/** Reads a source as a step does: as it was observed, by default just now. */
export async function snapshotSource(
  input: SourceInput & { readonly out: string; readonly resume: string; readonly observed?: Observation },
  context: DataContext,
): Promise<SnapshotFacts> {
  const { out, resume, observed = await observeSource(input, context) } = input;
  return snapshotAsObserved({ ...requestOf(input), out, resume }, observed, context);
}
