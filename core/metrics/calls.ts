import type { Measure, Metric } from '../task.ts';
import type { Confusion } from './binary.ts';
import type { Values } from './columns.ts';
import { ofColumns, once } from './columns.ts';
import type { Cost } from './threshold.ts';

/** A number that is made of how rows fall when some are called positive: of the columns `label` and `positive`, both 0 or 1. */
const ofCalls = (title: string, better: Metric['better'], number: (confusion: Confusion) => number, undefinedWhen?: string): Metric =>
  ofColumns(title, better, ['label', 'positive'], (label, positive) => measured(label, positive, number), undefinedWhen);

function measured(label: Values, positive: Values, number: (confusion: Confusion) => number): Measure {
  const kinds = Uint8Array.from(label, (value, at) => 2 * value + positive[at]!);
  return (times = once(kinds.length)) => {
    const counts = new Float64Array(4);
    for (let at = 0; at < kinds.length; at++) counts[kinds[at]!]! += times[at]!;
    const [trueNegatives, falsePositives, falseNegatives, truePositives] = counts as unknown as [number, number, number, number];
    return number({ truePositives, falsePositives, falseNegatives, trueNegatives });
  };
}

const rows = ({ truePositives, falsePositives, falseNegatives, trueNegatives }: Confusion): number =>
  truePositives + falsePositives + falseNegatives + trueNegatives;

/** What calls cost and find, of the columns `label` and `positive`. A cost is that of a row, in the unit of `cost`, from 0. */
export const callMetrics = ({ falsePositive, falseNegative }: Cost) => {
  const ours = (calls: Confusion): number => calls.falsePositives * falsePositive + calls.falseNegatives * falseNegative;
  const all = ({ falsePositives, trueNegatives }: Confusion): number => (falsePositives + trueNegatives) * falsePositive;
  const none = ({ truePositives, falseNegatives }: Confusion): number => (truePositives + falseNegatives) * falseNegative;
  return {
    cost: ofCalls('Cost', 'lower', (calls) => ours(calls) / rows(calls)),
    'cost-all': ofCalls('Cost of calling all rows positive', 'lower', (calls) => all(calls) / rows(calls)),
    'cost-none': ofCalls('Cost of calling none positive', 'lower', (calls) => none(calls) / rows(calls)),
    // Of Bahnsen, Aouada & Ottersten, "Example-dependent cost-sensitive decision trees", 2015.
    savings: ofCalls(
      'Savings',
      'higher',
      (calls) => {
        const cheapest = Math.min(all(calls), none(calls));
        return cheapest === 0 ? Number.NaN : 1 - ours(calls) / cheapest;
      },
      'all rows are of one class',
    ),
    precision: ofCalls(
      'Precision',
      'higher',
      ({ truePositives, falsePositives }) => truePositives / (truePositives + falsePositives),
      'no row is called positive',
    ),
    recall: ofCalls(
      'Recall',
      'higher',
      ({ truePositives, falseNegatives }) => truePositives / (truePositives + falseNegatives),
      'no row is positive',
    ),
    f1: ofCalls(
      'F1',
      'higher',
      ({ truePositives, falsePositives, falseNegatives }) => (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives),
      'no row is positive or called so',
    ),
  };
};
