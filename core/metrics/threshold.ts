import type { Values } from './columns.ts';
import { descending } from './scores.ts';

/** What a wrong call costs, in any unit that both share. A right call costs nothing. */
export interface Cost {
  /** Of calling a negative row positive. */
  readonly falsePositive: number;
  /** Of calling a positive row negative. */
  readonly falseNegative: number;
}

export interface ChosenThreshold {
  /** Rows with at least this probability are called positive. Above all of them if calling nobody so is cheapest. */
  readonly threshold: number;
  /** What a row costs on average, at this threshold, in the unit of the cost. */
  readonly meanCost: number;
}

/**
 * The threshold that would have cost least on these rows, which must not be those that it is judged on. Of several that cost the same, the highest:
 * fewest rows are called positive.
 *
 * It lies halfway between two neighbouring probabilities, so that a model that computes in 32 bits calls every row as it was called here.
 */
export function cheapestThreshold(label: Values, probability: Values, { falsePositive, falseNegative }: Cost): ChosenThreshold {
  const { order, ends } = descending(probability);
  let [alarms, missed] = [0, 0];
  for (let row = 0; row < label.length; row++) missed += label[row]!;
  let best = { cost: missed * falseNegative, after: -1 };
  for (const [at, row] of order.entries()) {
    if (label[row] === 1) missed--;
    else alarms++;
    const cost = alarms * falsePositive + missed * falseNegative;
    if (ends[at] === 1 && cost < best.cost) best = { cost, after: at };
  }
  const neighbour = (at: number, otherwise: number) => (at < 0 || at >= order.length ? otherwise : probability[order[at]!]!);
  const [above, below] = [neighbour(best.after, 1 + 2 ** -10), neighbour(best.after + 1, 0)];
  const middle = (above + below) / 2;
  return { threshold: middle > below ? middle : above, meanCost: best.cost / label.length };
}
