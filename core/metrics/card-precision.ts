import type { Measure } from '../task.ts';
import { ofColumns, once } from './columns.ts';
import type { Values } from './columns.ts';
import { descending } from './scores.ts';

/** Transactions, one row each. */
export interface CardRows {
  /** 1 for fraud, otherwise 0. */
  readonly label: Values;
  readonly score: Values;
  /** Any numbers that tell cards apart. */
  readonly card: Values;
  /** Any numbers that order days. */
  readonly day: Values;
}

/**
 * CardPrecision@k, 0–1 (Le Borgne, Siblini, Lebichot & Bontempi, "Reproducible machine learning for credit card fraud detection", chapter 4.4): each
 * day, the share of compromised cards among the `k` cards whose highest score of that day is highest, averaged over the days that have rows. A card
 * that was found is blocked: its later rows do not count. Fewer cards than `k` are still divided by `k`, so that the best that can be reached is often
 * far below 1. Cards with equal scores come in the order of their numbers.
 *
 * In a resample, a card that was drawn twice is two cards: draw rows by card, or what belongs together is torn apart.
 */
export function cardPrecision({ label, score, card, day }: CardRows, k: number): Measure {
  const numbers = new Map(Array.from(new Set(Array.from(card)), (value, at) => [value, at]));
  const cardOf = Int32Array.from(card, (value) => numbers.get(value)!);
  const { order } = descending(score);
  const days = [...rowsBy(day, order)]
    .toSorted(([a], [b]) => a - b)
    .map(([, rows]) => rows.sort((a, b) => score[b]! - score[a]! || card[a]! - card[b]!));
  const isFraud = (row: number) => label[row] === 1;
  const frauds = days.map((rows) => rowsBy(cardOf, rows.filter(isFraud)));

  return (times = once(cardOf.length)) => {
    const found = new Int32Array(numbers.size);
    const lastSeen = new Int32Array(numbers.size).fill(-1);
    let [precisions, daysWithRows] = [0, 0];
    for (const [today, rows] of days.entries()) {
      if (!rows.some((row) => times[row]! > 0)) continue;
      daysWithRows++;
      let [room, hits] = [k, 0];
      for (let at = 0; at < rows.length && room > 0; at++) {
        const row = rows[at]!;
        const own = cardOf[row]!;
        const copies = times[row]! - found[own]!;
        if (copies <= 0 || lastSeen[own] === today) continue;
        lastSeen[own] = today;
        const taken = Math.min(copies, room);
        room -= taken;
        if (!frauds[today]!.get(own)?.some((fraud) => times[fraud]! > 0)) continue;
        hits += taken;
        found[own]! += taken;
      }
      precisions += hits / k;
    }
    return precisions / daysWithRows;
  };
}

function rowsBy(column: Values, rows: Iterable<number>): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const row of rows) {
    const own = groups.get(column[row]!);
    if (own) own.push(row);
    else groups.set(column[row]!, [row]);
  }
  return groups;
}

/** Of the columns `label`, `probability`, `card` and `day`. */
export const cardPrecisionAt = (k: number) =>
  ofColumns(
    `CardPrecision@${k}`,
    'higher',
    ['label', 'probability', 'card', 'day'],
    (label, score, card, day) => cardPrecision({ label, score, card, day }, k),
    'rows.group names no card',
  );
