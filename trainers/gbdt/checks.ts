import { MlError } from '../../core/errors.ts';
import type { Objective } from './losses.ts';
import type { GbdtOptions } from './options.ts';
import type { Feature, LabelledRows } from './table.ts';

/** @throws {MlError} `SpecInvalid` with the first option that will not do. */
export function checkOptions({ bins, leaves, threads, loss, monotone }: GbdtOptions, features: readonly Feature[]): void {
  whole('bins', bins, 2, 255);
  whole('leaves', leaves, 2, 65_536);
  whole('threads', threads, 1, 256);
  if (loss.name === 'softmax') whole('classes', loss.classes, 2, 10_000);
  if (loss.name === 'quantile' && !(loss.alpha > 0 && loss.alpha < 1)) {
    throw new MlError('SpecInvalid', `alpha of the quantile is ${loss.alpha}: give it a number between 0 and 1`);
  }
  const category = features.findIndex(({ levels }, feature) => levels !== undefined && (monotone[feature] ?? 0) !== 0);
  if (category >= 0) throw new MlError('SpecInvalid', `feature ${category} is a category, whose levels have no order: it cannot be monotone`);
}

function whole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new MlError('SpecInvalid', `${name} is ${value}: give it a whole number from ${least} to ${most}`);
}

/** @throws {MlError} `DatasetInvalid` with the first row or column that will not do. */
export function checkRows({ features, labels, weights }: LabelledRows, objective: Objective, what: string): void {
  if (features.length === 0 || labels.length === 0) {
    throw new MlError('DatasetInvalid', `boosting needs ${what} rows and features: there are ${labels.length} rows of ${features.length} features`);
  }
  features.forEach(({ values }, feature) => {
    if (values.length === labels.length) return;
    throw new MlError('DatasetInvalid', `feature ${feature} has ${values.length} ${what} values, but there are ${labels.length} labels`);
  });
  const row = weights?.findIndex((weight) => !(weight >= 0 && weight < Infinity)) ?? -1;
  if (row >= 0) throw new MlError('DatasetInvalid', `the weight of ${what} row ${row} is ${weights![row]}: give it a number that is not negative`);
  for (let at = 0; at < labels.length; at++) {
    const why = objective.refuses(labels[at]!);
    if (why) throw new MlError('DatasetInvalid', `the label of ${what} row ${at} ${why}: ${labels[at]}`, { row: at, label: labels[at] });
  }
}
