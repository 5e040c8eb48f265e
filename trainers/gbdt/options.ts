/** What the forest minimises, and what its scores mean: the mean, the median, log odds, log probabilities, the log of a rate, a quantile. */
export type Loss =
  | { readonly name: 'squared' | 'absolute' | 'logistic' | 'poisson' }
  | { readonly name: 'softmax'; readonly classes: number }
  | { readonly name: 'quantile'; readonly alpha: number };

/** How categories are split (Ke et al. 2017, §"categorical features" of LightGBM, after Fisher 1958). */
export interface CategoryOptions {
  /** Up to so many levels, each level against all others is tried; above, levels sorted by their gradient. */
  readonly oneHotUpTo: number;
  /** Added to a level's hessian when levels are sorted, so that rare levels do not stand at the ends by chance. */
  readonly smoothing: number;
  /** Ridge penalty λ beside `l2` on leaves below a split by sorted levels. */
  readonly l2: number;
  /** The most levels that a split names. */
  readonly levelsPerSplit: number;
  /** Rows that the levels added between two candidates have, at least. */
  readonly minRowsPerGroup: number;
}

/** How a forest is grown. Names in brackets are LightGBM's. */
export interface GbdtOptions {
  readonly loss: Loss;
  /** Rounds; a round grows one tree, or one for each class. */
  readonly trees: number;
  /** Shrinkage of each tree's values (learning_rate). */
  readonly rate: number;
  /** Leaves of a tree; the leaf with the most to gain is split next (num_leaves). */
  readonly leaves: number;
  /** Splits above a leaf; Infinity for no limit. */
  readonly maxDepth: number;
  /** (min_data_in_leaf) */
  readonly minRowsPerLeaf: number;
  /** (min_sum_hessian_in_leaf) */
  readonly minHessian: number;
  readonly l1: number;
  readonly l2: number;
  /** A split has to gain more than this (min_gain_to_split). */
  readonly minGain: number;
  /** Bins of a feature, 255 at most; missing values have one more (max_bin). */
  readonly bins: number;
  /** (min_data_in_bin) */
  readonly minRowsPerBin: number;
  /** Share of the rows that a tree is grown on, drawn anew for each round (bagging_fraction, with bagging_freq 1). */
  readonly rowShare: number;
  /** Share of the features that a tree is grown on (feature_fraction). */
  readonly columnShare: number;
  /** By feature: 1 where scores must not fall as the value grows, -1 where they must not rise, 0 where they are free. */
  readonly monotone: readonly (-1 | 0 | 1)[];
  readonly categories: CategoryOptions;
  /** Ends after so many rounds without a better validation metric (early_stopping_round); Infinity for never. */
  readonly patience: number;
  readonly seed: number;
  /** Threads that grow the forest. It is the same for any number, byte by byte. */
  readonly threads: number;
}

/** LightGBM's own defaults. */
export const defaults: GbdtOptions = {
  loss: { name: 'squared' },
  trees: 100,
  rate: 0.1,
  leaves: 31,
  maxDepth: Infinity,
  minRowsPerLeaf: 20,
  minHessian: 1e-3,
  l1: 0,
  l2: 0,
  minGain: 0,
  bins: 255,
  minRowsPerBin: 3,
  rowShare: 1,
  columnShare: 1,
  monotone: [],
  categories: { oneHotUpTo: 4, smoothing: 10, l2: 10, levelsPerSplit: 32, minRowsPerGroup: 100 },
  patience: Infinity,
  seed: 1,
  threads: 1,
};
