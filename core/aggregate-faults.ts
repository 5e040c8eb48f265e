import { aggregateGroups } from './aggregates.ts';
import type { AggregateGroup } from './aggregates.ts';
import { choices } from './spec-faults.ts';
import type { SpecFault } from './spec-faults.ts';
import type { SpecShape } from './spec-shape.ts';

type Source = SpecShape['sources'][string];
const kindOf = ({ columns }: Source, name: string) => {
  const column = columns[name];
  return typeof column === 'object' ? column.kind : column;
};

/** Whether aggregates name what there is, can be found by what a caller sends, and know nothing that is not known yet. */
export function aggregateFaults({ aggregates, sources, request = {}, rows, split }: SpecShape): readonly SpecFault[] {
  if (aggregates === undefined) return [];
  const faults: SpecFault[] = [];
  const fault = (path: string, message: string): void => void faults.push({ path, message });
  for (const [name, { from }] of Object.entries(aggregates)) {
    const known = Object.keys(sources);
    if (!Object.hasOwn(sources, from)) fault(`aggregates.${name}.from`, `there is no source "${from}"${choices(from, known)}`);
    else if (sources[from]!.time === undefined) fault(`aggregates.${name}.from`, `"${from}" has no time to place windows by: name its time column`);
  }
  if (faults.length > 0) return faults;
  if (split.by !== 'time' && split.by !== 'rolling-origin') {
    fault('split.by', `split "${split.by}" puts rows of one time on both sides, and windows of the one would hold rows of the other: split by time`);
  }
  const groups = aggregateGroups({ aggregates, sources } as Parameters<typeof aggregateGroups>[0]);
  const taken = new Set([...Object.values(sources).flatMap(({ columns }) => Object.keys(columns)), ...Object.keys(rows.columns ?? {})]);
  for (const group of groups) {
    const path = `aggregates.${group.name}`;
    const source = sources[group.source]!;
    const kind = kindOf(source, group.by);
    if (kind === undefined) fault(`${path}.by`, `there is no column "${group.by}"${choices(group.by, Object.keys(source.columns))}`);
    else if (kind !== 'key' && kind !== 'category') fault(`${path}.by`, `"${group.by}" is a ${kind}: windows are of a key or a category`);
    for (const column of [group.by, group.time]) {
      if (!Object.hasOwn(request, column))
        fault(path, `"${column}" is not in request, so nobody could find the features of a row that is asked about`);
    }
    faults.push(...madeFaults(group, source, request));
    for (const { name } of group.features) {
      if (taken.has(name)) fault(path, `"${name}" is there already: a column, or another aggregate, has that name`);
      taken.add(name);
    }
  }
  return faults;
}

function madeFaults({ name, delayMs, features }: AggregateGroup, source: Source, request: NonNullable<SpecShape['request']>): readonly SpecFault[] {
  const columns = new Set(features.flatMap(({ make }) => ('column' in make ? [make.column] : [])));
  return [...columns].flatMap((column) => {
    const kind = kindOf(source, column);
    const message =
      kind === undefined
        ? `there is no column "${column}"${choices(column, Object.keys(source.columns))}`
        : kind !== 'number' && kind !== 'integer' && kind !== 'flag'
          ? `"${column}" is a ${kind}: only numbers, integers and flags are added`
          : delayMs === 0 && !Object.hasOwn(request, column)
            ? `"${column}" is not in request, so a row's own is not known when it is asked about: name a "delay", as long as it takes to be known`
            : undefined;
    return message === undefined ? [] : [{ path: `aggregates.${name}.make`, message }];
  });
}
