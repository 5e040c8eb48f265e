/** Stands between the parts of a key of several columns, in which it cannot occur. */
const between = '\u0000';

/** A row's key as one text. */
export const keyText = (parts: readonly string[]): string => parts.join(between);

/** Compares keys as `naturalOrder` does in SQL: whole numbers first and by value, then text. */
export function compareKeys(a: string, b: string): number {
  const others = b.split(between);
  for (const [at, part] of a.split(between).entries()) {
    const order = compareParts(part, others[at]!);
    if (order !== 0) return order;
  }
  return 0;
}

function compareParts(a: string, b: string): number {
  const [x, y] = [wholeOf(a), wholeOf(b)];
  if (x !== undefined && y !== undefined && x !== y) return x < y ? -1 : 1;
  if ((x === undefined) !== (y === undefined)) return x === undefined ? 1 : -1;
  return a < b ? -1 : Number(a > b);
}

/** 38 digits are what SQL takes for a number. */
const wholeOf = (text: string): bigint | undefined => (/^-?\d{1,38}$/.test(text) ? BigInt(text) : undefined);
