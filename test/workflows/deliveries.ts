import { defineModel } from '../../core/model-spec.ts';
import { random } from '../../core/random.ts';

/** Deliveries of a city: minutes grow with the distance, twice as fast in jams; every tenth distance is missing. */
const header = 'id,at,km,jam,courier,rain,minutes,late,size';
export function deliveries(count: number): string {
  const draw = random('deliveries');
  const rows = Array.from({ length: count }, (_, id) => {
    const at = new Date(Date.UTC(2024, 0, 1) + id * 600_000).toISOString();
    const km = 1 + 9 * draw.next();
    const jam = ['low', 'high', ''][draw.below(3)]!;
    const courier = `c${draw.below(200)}`;
    const rain = draw.below(2) === 1;
    const minutes = 10 + km * (jam === 'high' ? 4 : 2) + (rain ? 5 : 0) + 3 * draw.next();
    const size = minutes < 25 ? 'short' : minutes < 35 ? 'medium' : 'long';
    return [id, at, draw.below(10) === 0 ? '' : km.toFixed(3), jam, courier, rain, minutes.toFixed(2), minutes > 30, size].join(',');
  });
  return [header, ...rows].join('\n');
}

const base = {
  format: 1,
  sources: {
    deliveries: {
      from: 'catalogue:/deliveries.csv',
      read: 'csv',
      key: ['id'],
      time: 'at',
      columns: {
        id: 'key',
        at: 'time',
        km: 'number',
        jam: 'category',
        courier: 'category',
        rain: 'flag',
        minutes: 'number',
        late: 'flag',
        size: 'category',
      },
    },
  },
  rows: { sql: 'SELECT * FROM deliveries', key: ['id'], time: 'at' },
  request: { at: 'time', km: 'number', jam: 'category', courier: 'category', rain: 'flag' },
  split: { by: 'time', validation: '4d', test: '4d' },
  slices: ['jam'],
  refit: 'none',
} as const;

export const minutes = defineModel({
  ...base,
  name: 'minutes',
  task: 'regression',
  target: { column: 'minutes' },
  train: [
    { trainer: 'linear', try: { l2: [1, 10] } },
    { trainer: 'gbdt', with: { trees: 50 } },
  ],
  gate: { metric: 'rmse', baselines: ['constant', 'one-feature'] },
});
/** With bounds around each prediction, and another fit on all rows. */
export const bounded = defineModel({
  ...base,
  name: 'bounded',
  task: 'regression',
  target: { column: 'minutes' },
  interval: { coverage: 0.8 },
  train: [{ trainer: 'gbdt', with: { trees: 50 } }],
  gate: { metric: 'rmse', baselines: ['constant'], floors: [{ slice: 'all', metric: 'interval-coverage', min: 0.7 }] },
  refit: 'all',
});
export const late = defineModel({
  ...base,
  name: 'late',
  task: 'binary',
  target: { column: 'late' },
  train: [{ trainer: 'linear' }, { trainer: 'gbdt', with: { trees: 50 } }],
  gate: { metric: 'roc-auc', baselines: ['constant', 'one-feature'] },
});
/** With probabilities that are met, and a call: a late delivery that nobody foresaw costs as much as ten needless warnings. */
export const called = defineModel({
  ...base,
  name: 'called',
  task: 'binary',
  target: { column: 'late' },
  calibration: 'isotonic',
  threshold: { falsePositive: 1, falseNegative: 10 },
  // So few trees are sure of nothing.
  train: [{ trainer: 'gbdt', with: { trees: 5 } }],
  gate: {
    metric: 'roc-auc',
    baselines: ['constant'],
    champion: { rule: 'not-worse', margin: 0.01 },
    floors: [
      { slice: 'all', metric: 'savings', min: 0.5 },
      { slice: 'jam=high', metric: 'recall', min: 0.9 },
    ],
  },
});
export const size = defineModel({
  ...base,
  name: 'size',
  task: 'multiclass',
  target: { column: 'size' },
  train: [{ trainer: 'linear' }, { trainer: 'gbdt', with: { trees: 50 } }],
  gate: { metric: 'log-loss', baselines: ['constant', 'one-feature'] },
});
