"""Expected draws of core/random.ts, in Python's unbounded integers. Writes xoshiro.json beside itself."""

import json
from pathlib import Path

MASK = 0xFFFFFFFF


def rotate(x, by):
    return ((x << by) | (x >> (32 - by))) & MASK


def xoshiro128starstar(s):
    """https://prng.di.unimi.it/xoshiro128starstar.c"""
    while True:
        yield (rotate((s[1] * 5) & MASK, 7) * 9) & MASK
        t = (s[1] << 9) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 11)


def take(stream, count):
    return [next(stream) for _ in range(count)]


# The published test vector for the state 1, 2, 3, 4 (rand_xoshiro).
assert take(xoshiro128starstar([1, 2, 3, 4]), 6) == [11520, 0, 5927040, 70819200, 2031721883, 1637235492]


def finalise(x):
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & MASK
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & MASK
    return x ^ (x >> 16)


def fnv1a(text):
    h = 0x811C9DC5
    for unit in text.encode("ascii"):
        h = ((h ^ unit) * 0x01000193) & MASK
    return h


def seeded(seed):
    mixed = fnv1a(seed) if isinstance(seed, str) else seed & MASK
    state = []
    for _ in range(4):
        mixed = (mixed + 0x9E3779B9) & MASK
        state.append(finalise(mixed))
    return xoshiro128starstar(state)


seeds = [0, 1, 2, 4294967295, "bootstrap", ""]
Path(__file__).with_suffix(".json").write_text(json.dumps([{"seed": seed, "draws": take(seeded(seed), 20)} for seed in seeds]) + "\n")
