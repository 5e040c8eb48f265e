import { MlError } from '../../core/errors.ts';

/** The sizes that decide where everything lies in memory. */
export interface Shape {
  /** Training rows. Validation rows follow them wherever both are kept. */
  readonly rows: number;
  readonly validationRows: number;
  /** Codes of each feature. */
  readonly codes: readonly number[];
  /** Scores of a row. */
  readonly outputs: number;
  readonly weighted: boolean;
  readonly leaves: number;
  readonly threads: number;
}

/** Features side by side, and the derivatives with them: all that a histogram needs of a row comes with one line of the cache. */
export interface Block {
  readonly first: number;
  readonly width: number;
  /** Row `r` lies at `rows + r * stride`: gradient and hessian of the tree that is grown, as 32-bit whole numbers, then the features' codes. */
  readonly rows: number;
  readonly stride: number;
}

/** Where everything lies: offsets in bytes of one memory that all threads share. */
export interface Plan {
  readonly bytes: number;
  readonly blocks: readonly Block[];
  /** Bytes from the start of a histogram to each feature's entries, and (last) their total. */
  readonly entriesAt: readonly number[];
  /** Codes by feature, of all rows. */
  readonly columns: number;
  readonly labels: number;
  readonly weights: number;
  readonly scores: number;
  readonly gradients: number;
  readonly hessians: number;
  /** Row numbers: of the tree's rows leaf by leaf, then of those out of the bag, then of the validation rows. */
  readonly order: number;
  /** As long as the order: where rows that go right wait, and values that are being encoded. */
  readonly spare: number;
  /** Bounds of a feature's bins, while it is encoded. */
  readonly bounds: number;
  /** Histograms of leaves. */
  readonly histograms: number;
  /** Histograms of the threads but the first. */
  readonly partial: number;
  /** A few fetched rows, for each thread. */
  readonly fetched: number;
  /** A feature's histogram in sums, for each thread. */
  readonly entries: number;
  /** By split and code: whether it goes left. */
  readonly routes: number;
  /** By split: its feature, then right child and left child (negative: a leaf, as its complement). */
  readonly splits: number;
  readonly leafValues: number;
  /** Sums of the loss by chunk of rows. */
  readonly losses: number;
  /** By thread: the most that the derivatives of each output are, or the rows that went left. */
  readonly extremes: number;
  /** What a scan is told about its two leaves. */
  readonly leafSums: number;
  /** The best split of each feature, for two leaves; and the codes that go left. */
  readonly found: number;
  readonly foundSets: number;
  /** Whether a feature is among those of the tree. */
  readonly sampled: number;
  /** By leaf: where its rows start in the order, and how many there are. */
  readonly leafRows: number;
  /** What the threads are told: turn, threads at work, task, failure; and the task's arguments. */
  readonly control: number;
  readonly given: number;
}

/** An entry of a histogram: sums of gradients, and of hessians with the number of rows, in 64 bits each. */
export const entryBytes = 16;
export const codesAt = 8;
/** A record of 32 bytes, so that none lies in two lines of the cache. */
export const blockWidth = 24;
export const longestRecord = codesAt + blockWidth;
/**
 * Between the features of a histogram. Without it the same code of features with 256 codes would compete for the same few lines of the cache, and in many
 * tables most rows have the same code: 10 times as slow.
 */
const entriesGap = 64;
/** Rows that are fetched before they are added up. */
export const fetchedRows = 256;
export const fetchedBytes = fetchedRows * longestRecord;
export const entriesBytes = 256 * (8 + 8 + 4);
/** Rows whose loss is summed together: sums of chunks in their order do not depend on the number of threads. */
export const lossChunk = 4096;
export const foundFields = 7;
export const leafFields = 6;
export const taskArguments = 5;

/** From one output's derivatives to the next's: whole vectors, filled up with zeros. */
export const derivativeStride = (rows: number): number => Math.ceil(rows / 4) * 4;

const most = 65_536 * 65_536;

export function planOf(shape: Shape): Plan {
  const { rows, validationRows, codes, outputs, weighted, leaves, threads } = shape;
  const all = rows + validationRows;
  const features = codes.length;
  // A cache line is left between regions, so that vectors may be read past an end, and no two threads write to one line.
  let bytes = 64;
  const take = (size: number) => {
    const at = bytes;
    bytes = Math.ceil((at + size) / 64) * 64 + 64;
    return at;
  };
  const entriesAt = [0];
  for (const count of codes) entriesAt.push(entriesAt.at(-1)! + count * entryBytes + entriesGap);
  const histogramBytes = entriesAt.at(-1)!;
  const blocks = Array.from({ length: Math.ceil(features / blockWidth) }, (_, block): Block => {
    const first = block * blockWidth;
    const width = Math.min(blockWidth, features - first);
    const stride = width <= 8 ? 16 : longestRecord;
    return { first, width, stride, rows: take(rows * stride) };
  });
  const plan = {
    blocks,
    entriesAt,
    columns: take(features * all),
    labels: take(all * 8),
    weights: take(weighted ? all * 8 : 0),
    scores: take(outputs * all * 8),
    gradients: take(outputs * derivativeStride(rows) * 4),
    hessians: take(outputs * derivativeStride(rows) * 4),
    order: take(all * 4),
    spare: take(all * 4),
    bounds: take(256 * 4),
    histograms: take(leaves * histogramBytes),
    partial: take((threads - 1) * histogramBytes),
    fetched: take(threads * fetchedBytes),
    entries: take(threads * entriesBytes),
    routes: take(leaves * 256),
    splits: take(leaves * 12),
    leafValues: take(leaves * 8),
    losses: take(Math.ceil(all / lossChunk + 1) * 8),
    extremes: take(threads * outputs * 2 * 8),
    leafSums: take(2 * leafFields * 8),
    found: take(2 * features * foundFields * 8),
    foundSets: take(2 * features * 256),
    sampled: take(features),
    leafRows: take(leaves * 8),
    control: take(16),
    given: take(taskArguments * 8),
  };
  if (bytes > most) {
    const gib = (bytes / 2 ** 30).toFixed(1);
    throw new MlError(
      'DatasetInvalid',
      `boosting ${rows} rows of ${features} features needs ${gib} GiB; its memory ends at 4: give it fewer rows, features or leaves`,
    );
  }
  return { ...plan, bytes };
}
