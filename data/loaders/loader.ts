import type { Request, TaskKind, TaskTypes } from '../../core/task.ts';
import type { Part } from '../../core/table.ts';
import type { Json } from '../../core/artifact.ts';
import type { PackageFile } from '../../core/manifest.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import type { DataContext } from '../duckdb.ts';
import type { TableSpec } from '../table/rows.ts';

/** Rows of some parts, as files. */
export interface RowFiles {
  readonly rows: string;
  readonly split: string;
  /** What is known: fitted, and used to answer. `all` needs no split. */
  readonly parts: readonly Part[] | 'all';
  readonly key: readonly string[];
  readonly time: string | null;
  readonly target: ModelSpec['target'];
  /** What the spec says of a table, where the task asks for rows of one. */
  readonly table?: TableSpec;
}

/** Rows as trainers and exams take them. */
export interface LoadedRows<K extends TaskKind = TaskKind> {
  readonly known: TaskTypes[K]['data'];
  readonly heldOut?: TaskTypes[K]['data'];
  /** What a model with this encoding is sent, where its spec said so. */
  readonly request?: Request;
}

/** How the rows of one kind of task are encoded: a file each, listed in `index.ts`. */
export interface RowLoader<K extends TaskKind = TaskKind> {
  /** What the preprocessor is called in a package. */
  readonly packed: Pick<PackageFile, 'path' | 'role'>;
  /** Held-out rows can be examined without those that are known. */
  readonly heldOutAlone?: true;
  /** The source whose snapshot `fit` wants, if the target names one. */
  describedBy(target: TaskTypes[K]['target']): string | undefined;
  /** Fits the encoding on the known rows and writes it to `out`: the `preprocessor` artifact. */
  fit(files: RowFiles, described: { readonly snapshot: string; readonly key: string } | undefined, out: string, context: DataContext): Promise<void>;
  /** Loads rows by a fitted encoding, perhaps another model's. */
  load(files: RowFiles, preprocessor: string, heldOut: Part | null, context: DataContext): Promise<LoadedRows<K>>;
  /**
   * Whether rows of a spec hold what a model of an earlier one is asked, and label them as it does: else it sits no exam of theirs. `preprocessor` is the
   * model's own. Absent where every model can.
   */
  canSit?(preprocessor: string, of: Pick<RowFiles, 'target' | 'table'>): Promise<boolean>;
  /**
   * Writes what servers look users up in, beside the package and never in it. Absent where a request carries all that the model needs. Returns facts
   * worth recording.
   */
  writeHistory?(files: Pick<RowFiles, 'rows' | 'time' | 'target'>, out: string, context: DataContext): Promise<Readonly<Record<string, Json>>>;
}
