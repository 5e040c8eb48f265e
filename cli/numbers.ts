import { InvalidArgumentError } from 'commander';

/** An option that is a whole number from 1 on. */
export const wholeNumber = (text: string): number => numberUpTo(text, 999_999_999);

/** An option that is a port. */
export const portNumber = (text: string): number => numberUpTo(text, 65_535);

function numberUpTo(text: string, most: number): number {
  const value = /^[1-9]\d*$/.test(text) ? Number(text) : Number.NaN;
  if (value <= most) return value;
  throw new InvalidArgumentError(`write a whole number from 1 to ${most}.`);
}
