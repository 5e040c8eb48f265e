// A global is looked up anew at each call in a sandbox, and this is the innermost of loops.
const { imul } = Math;

/** A stream of pseudo-random numbers that depends on its seed alone: the same on every machine. Not for secrets. */
export interface Random {
  /** A whole number from 0 to 2³² − 1. */
  uint32(): number;
  /** A number from 0 to 1, 1 exclusive, with 53 random bits. */
  next(): number;
  /** A whole number from 0 to `bound` − 1, without bias. `bound` is at most 2³². */
  below(bound: number): number;
  /** A standard normal deviate (Marsaglia's polar method). */
  normal(): number;
}

/**
 * xoshiro128** 1.1 by Blackman and Vigna (https://prng.di.unimi.it/xoshiro128starstar.c), its state filled from `seed` by SplitMix64's 32-bit kin
 * with MurmurHash3's finaliser. Two seeds give unrelated streams; so do two texts.
 */
export function random(seed: number | string): Random {
  let mixed = typeof seed === 'number' ? seed >>> 0 : hash(seed);
  const fill = () => {
    mixed = (mixed + 0x9e3779b9) >>> 0;
    return finalise(mixed);
  };
  let [a, b, c, d] = [fill(), fill(), fill(), fill()];

  function uint32(): number {
    const result = imul(rotate(imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  }

  const next = () => ((uint32() >>> 5) * 0x4000000 + (uint32() >>> 6)) / 0x20000000000000;

  let [lastBound, fair] = [0, 0];
  function below(bound: number): number {
    // Draws above the last whole multiple of `bound` would favour small results. A bootstrap asks for one bound millions of times.
    if (bound !== lastBound) [lastBound, fair] = [bound, 0x100000000 - (0x100000000 % bound)];
    let draw = uint32();
    while (draw >= fair) draw = uint32();
    return draw % bound;
  }

  function normal(): number {
    for (;;) {
      const [x, y] = [2 * next() - 1, 2 * next() - 1];
      const square = x * x + y * y;
      if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
    }
  }

  return { uint32, next, below, normal };
}

const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by));

function finalise(x: number): number {
  x = imul(x ^ (x >>> 16), 0x85ebca6b);
  x = imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** FNV-1a over UTF-16 code units. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) h = imul(h ^ text.charCodeAt(at), 0x01000193);
  return h >>> 0;
}
