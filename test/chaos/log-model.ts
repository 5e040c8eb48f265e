/** An entry as it stands in the store after everybody has ended. */
export interface Standing {
  readonly n: number;
  readonly sha256: string;
  readonly previous: string | null;
  /** Which append it is of; `null` for an entry from before the race. */
  readonly token: string | null;
  /** What the entry makes the value to be, and what its writer expected it to be before. Absent where it leaves the value alone. */
  readonly set?: { readonly value: number; readonly expect: number | null };
}

/** What one process saw of one call: when it began and ended, in nanoseconds of a clock that all processes of the machine share. */
export interface Operation {
  readonly process: number;
  readonly began: bigint;
  readonly ended: bigint;
  readonly did:
    | { readonly kind: 'read'; readonly n: number; readonly sha256: string }
    | { readonly kind: 'appended'; readonly token: string; readonly n: number }
    /** The append found another value than it expected, in the log as it was after entry `n`. */
    | { readonly kind: 'refused'; readonly token: string; readonly expect: number | null; readonly n: number; readonly sha256: string }
    | { readonly kind: 'failed'; readonly token?: string; readonly message: string };
}

/**
 * What a history says against the log being a linearisable register of entries that are appended by compare-and-set; nothing if it is one.
 *
 * No search through interleavings (Wing & Gong) is needed, because the log itself is the order. An append that is entry `n` takes effect at place `n`;
 * whoever saw the log up to `n` (a read, or an append that was refused) takes effect after place `n` and before `n + 1`. There is no other order in which
 * each operation has the answer that it got, up to observations side by side, which commute. So a history is linearisable if and only if that order
 * respects real time: an operation that began after another had ended stands behind it. And since an entry's SHA-256 chains all before it, "the log up
 * to `n`" is compared whole by comparing one digest.
 */
export function violations(log: readonly Standing[], history: readonly Operation[]): string[] {
  return [...chainBreaks(log), ...wrongValues(log), ...wrongAnswers(log, history), ...outOfOrder(history)];
}

function chainBreaks(log: readonly Standing[]): string[] {
  return log.flatMap(({ n, previous }, at) => [
    ...(n === at + 1 ? [] : [`entry ${at + 1} is missing: ${n} stands in its place`]),
    ...(previous === (log[at - 1]?.sha256 ?? null) ? [] : [`entry ${n} does not continue entry ${n - 1}`]),
  ]);
}

/** Each entry's writer has to have expected what the entries before it left. */
function wrongValues(log: readonly Standing[]): string[] {
  let value: number | null = null;
  return log.flatMap(({ n, set }) => {
    if (set === undefined) return [];
    const before = value;
    value = set.value;
    return set.expect === before ? [] : [`entry ${n} expected ${set.expect} where ${before} stood`];
  });
}

function wrongAnswers(log: readonly Standing[], history: readonly Operation[]): string[] {
  const places = new Map<string, number[]>();
  for (const { token, n } of log) if (token !== null) places.set(token, [...(places.get(token) ?? []), n]);
  const at = (n: number): Standing | undefined => log[n - 1];
  const values = log.reduce<(number | null)[]>((list, { set }) => [...list, set?.value ?? list.at(-1) ?? null], []);
  const wrong = history.flatMap(({ process, did }) => {
    const who = `process ${process}`;
    switch (did.kind) {
      case 'appended': {
        const stands = places.get(did.token) ?? [];
        return stands.length === 1 && stands[0] === did.n
          ? []
          : [`${who} was told that ${did.token} is entry ${did.n}; it is ${stands.join(' and ') || 'none'}`];
      }
      case 'read':
        return at(did.n)?.sha256 === did.sha256 ? [] : [`${who} read an entry ${did.n} that does not stand there now`];
      case 'refused':
        if (at(did.n)?.sha256 !== did.sha256) return [`${who} was refused over an entry ${did.n} that does not stand there now`];
        if (places.has(did.token)) return [`${who} was refused ${did.token}, which stands all the same`];
        return values[did.n - 1] === did.expect ? [`${who} was refused though ${did.expect} stood at entry ${did.n}`] : [];
      case 'failed':
        return [`${who}: ${did.message}`];
    }
  });
  const asked = new Set(history.flatMap(({ did }) => ('token' in did && did.token !== undefined ? [did.token] : [])));
  return [...wrong, ...[...places.keys()].filter((token) => !asked.has(token)).map((token) => `nobody appended ${token}, which stands`)];
}

/** Goes through the operations as they begin, and knows how far the log had been seen to reach by all that had ended. */
function outOfOrder(history: readonly Operation[]): string[] {
  const placed = history.filter((it): it is Placed => it.did.kind !== 'failed');
  const byEnd = placed.toSorted((a, b) => (a.ended < b.ended ? -1 : 1));
  let floor = 0;
  let next = 0;
  return placed
    .toSorted((a, b) => (a.began < b.began ? -1 : 1))
    .flatMap(({ process, began, did }) => {
      for (; next < byEnd.length && byEnd[next]!.ended < began; next++) floor = Math.max(floor, byEnd[next]!.did.n);
      if (did.kind === 'appended') return did.n > floor ? [] : [`process ${process} appended entry ${did.n} after entry ${floor} had been seen`];
      return did.n >= floor ? [] : [`process ${process} saw the log end at ${did.n} after entry ${floor} had been seen`];
    });
}

type Placed = Operation & { readonly did: { readonly n: number } & Exclude<Operation['did'], { kind: 'failed' }> };
