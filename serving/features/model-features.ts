import { aggregateGroups } from '../../core/aggregates.ts';
import { MlError } from '../../core/errors.ts';
import { KnownFeatures } from '../../core/features/known-features.ts';
import type { ModelSpec } from '../../core/model-spec.ts';
import type { RequestRow } from '../served-model.ts';
import type { KeptSource } from './kept-source.ts';
import { type RowReader, rowReader } from './written-rows.ts';

/** What of a spec says which features there are, and how rows are read. */
export type FeatureSpec = Pick<ModelSpec, 'name' | 'sources' | 'aggregates' | 'request'>;

interface Known {
  readonly kept: KeptSource;
  readonly reader: RowReader;
  readonly features: KnownFeatures;
}

const dayMs = 86_400_000;

/** The windowed features of one version of a model, from what is kept of its sources. */
export class ModelFeatures {
  readonly #spec: FeatureSpec;
  readonly #names: readonly string[];
  /** Columns that find features, and never reach a model. */
  readonly #finding: ReadonlySet<string>;
  readonly #sources: readonly Known[];

  /** `kept`: of the spec's `keptShapes`, in their order. */
  constructor(spec: FeatureSpec, kept: readonly KeptSource[]) {
    this.#spec = spec;
    this.#names = aggregateGroups(spec).flatMap(({ features }) => features.map(({ name }) => name));
    const keys = Object.entries(spec.request ?? {}).flatMap(([name, kind]) => (kind === 'key' ? [name] : []));
    const rowKeys = kept.flatMap(({ rows }) => spec.sources[rows.shape.source]!.key);
    this.#finding = new Set([...keys, ...rowKeys.filter((name) => !Object.hasOwn(spec.request ?? {}, name))]);
    this.#sources = kept.map((each) => ({
      kept: each,
      reader: rowReader(spec.sources[each.rows.shape.source]!, each.rows.shape),
      features: new KnownFeatures(spec, each.rows),
    }));
  }

  /** Why nothing can be told yet, if so. */
  get missing(): MlError | undefined {
    const empty = this.#sources.find(({ kept }) => kept.rows.newestMs === -Infinity);
    return empty && this.#lack(empty.kept, (source, by) => `no row of "${source}" was pushed here, so nothing is known of a row's ${by}`);
  }

  /** Why these features would be told of less than those of the version that answers now, if so: its source was pushed further back. */
  lackBeside(other: ModelFeatures | undefined): MlError | undefined {
    const others = other === undefined ? [] : other.#sources;
    const short = this.#sources.find(({ kept }) => {
      const answering = others.find((each) => each.kept.rows.shape.source === kept.rows.shape.source)?.kept;
      if (answering === undefined || answering === kept) return false;
      return kept.rows.oldestMs > Math.max(kept.rows.newestMs - keepMsOf(kept), answering.rows.oldestMs);
    });
    if (this.missing || !short) return this.missing;
    const since = new Date(short.kept.rows.oldestMs).toISOString();
    return this.#lack(short.kept, (source) => `rows of "${source}" were pushed here since ${since}, and windows reach further back`);
  }

  #lack(kept: KeptSource, what: (source: string, by: string) => string): MlError {
    const { source, tables } = kept.rows.shape;
    const days = Math.ceil(keepMsOf(kept) / dayMs);
    return new MlError(
      'FeaturesMissing',
      `${what(source, tables.map(({ by }) => by).join(' or '))}: push those of the last ${days} days ` +
        `(perennial features push ${this.#spec.name} --file …), or send ${this.#names[0]!} and the others with the row`,
      { model: this.#spec.name, source, features: this.#names },
    );
  }

  /**
   * The features of rows, in their order, as known now; no row knows another of them.
   *
   * @throws {MlError} `FeaturesMissing`; `RequestInvalid` for a row that is no request of the model, or of a time that is forgotten.
   */
  ask(rows: readonly RequestRow[]): readonly Readonly<Record<string, number>>[] {
    return rows.map((row, number) => this.#tell(row, number));
  }

  /** Rows as the model takes them: with the features that they leave away, without the keys that find them. @throws {MlError} as `ask` */
  fill(rows: readonly RequestRow[]): readonly RequestRow[] {
    return rows.map((row, number) => {
      const isWhole = this.#names.every((name) => (row[name] ?? null) !== null);
      const told = isWhole ? {} : this.#tell(row, number);
      const given = Object.entries(row).filter(([name, value]) => !this.#finding.has(name) && !(value === null && Object.hasOwn(told, name)));
      return { ...told, ...Object.fromEntries(given) };
    });
  }

  #tell(row: RequestRow, number: number): Record<string, number> {
    const { missing } = this;
    if (missing) throw missing;
    return Object.assign({}, ...this.#sources.map(({ reader, features }) => features.ask(reader.asked(row, number)))) as Record<string, number>;
  }
}

const keepMsOf = ({ rows }: KeptSource): number => Math.max(...rows.shape.tables.map(({ keepMs }) => keepMs));
