import { known, steps } from 'perennial-ml/workflow';

export interface CompareMonthsRequest {
  readonly model: string;
  /** Segments whose newest versions meet, such as `month=10` and `month=12`. */
  readonly segments: readonly string[];
}

/** By segment of the exam: the evaluation in which that segment's own version is the challenger, and the others sit beside it. */
export type MonthTable = Readonly<Record<string, { readonly evaluation: string; readonly rowsLeftOut: number }>>;

/**
 * Does each month need a model of its own? Every month's version sits every month's exam. A workflow of one's own, made of the same steps as
 * `train`: the versions are there already, so it trains nothing.
 */
export async function compareMonths({ model, segments }: CompareMonthsRequest): Promise<{ readonly table: MonthTable }> {
  const { spec } = await steps.readApplied({ model });
  const found = await Promise.all(segments.map(async (segment) => ({ segment, ...(await steps.readVersion({ model, segment, which: 'newest' })) })));
  const versions = found.flatMap(({ segment, version }) => (version === null ? [] : [{ segment, version }]));

  const table = await Promise.all(
    versions.map(async ({ segment, version: own }) => {
      const { rows } = own.seen;
      const rivals = versions.filter((each) => each.segment !== segment);
      const last = own.seen.splits.at(-1)!;
      const {
        split,
        leftOut,
        excused = [],
      } = await steps.leaveOutSeen({
        spec,
        split: last,
        exam: [last],
        rivals: rivals.map((rival) => ({ name: rival.segment, seen: rival.version.seen })),
      });
      const others = rivals.filter((rival) => !excused.includes(rival.segment));
      const sit = (contender: string, version: typeof own) =>
        steps.predictModel({ spec, rows, split, fold: 'all', model: version.examined, preprocessor: version.examinedItems, known, contender });
      const contenders = await Promise.all([
        sit('challenger', own).then((marks) => ['challenger', [marks]] as const),
        ...others.map((other) => sit(other.segment, other.version).then((marks) => [other.segment, [marks]] as const)),
      ]);
      const evaluation = await steps.evaluateModel({
        spec,
        segment,
        folds: ['all'],
        contenders: Object.fromEntries(contenders),
        rowsLeftOut: leftOut,
      });
      return [segment, { evaluation: evaluation.sha256, rowsLeftOut: leftOut }] as const;
    }),
  );
  return { table: Object.fromEntries(table) };
}
