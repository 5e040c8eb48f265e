import { defineModel } from 'perennial-ml';

const common = {
  format: 1,
  task: 'regression',
  intendedUse:
    'To tell passengers how long a trip by green taxi will take. Not to price trips, and not for trips of more than an hour: none was learned from.',
  sources: {
    trips: {
      from: 'taxi:/green_tripdata_2021-*.parquet',
      read: 'parquet',
      // A refund is a row like the trip's, with a negative fare.
      key: ['pickupAt', 'dropoffAt', 'pickupZone', 'dropoffZone', 'fare'],
      time: 'pickupAt',
      columns: {
        pickupAt: { kind: 'time', named: 'lpep_pickup_datetime' },
        dropoffAt: { kind: 'time', named: 'lpep_dropoff_datetime' },
        pickupZone: { kind: 'key', named: 'PULocationID' },
        dropoffZone: { kind: 'key', named: 'DOLocationID' },
        vendor: { kind: 'key', named: 'VendorID' },
        rate: { kind: 'number', named: 'RatecodeID' },
        kind: { kind: 'number', named: 'trip_type' },
        passengers: { kind: 'number', named: 'passenger_count' },
        miles: { kind: 'number', named: 'trip_distance' },
        fare: { kind: 'number', named: 'total_amount' },
      },
    },
  },
  contract: [
    { check: 'row-count', of: 'trips', min: 10_000 },
    { check: 'range', of: 'trips.pickupAt', severity: 'warn', min: '2021-01-01', max: '2021-03-01' },
    { check: 'sql', name: 'ends after it began', sql: 'SELECT * FROM trips WHERE dropoffAt <= pickupAt', severity: 'warn' },
  ],
  rows: {
    // Trips have no name of their own: those that are alike in everything are told apart by a number.
    sql: `
      SELECT concat_ws('/', epoch_ms(pickupAt), epoch_ms(dropoffAt), pickupZone, dropoffZone, miles, fare,
          row_number() OVER (PARTITION BY pickupAt, dropoffAt, pickupZone, dropoffZone, miles, fare)) AS trip,
        pickupAt, pickupZone AS "from", dropoffZone AS "to", pickupZone || '-' || dropoffZone AS route, miles,
        CAST(hour(pickupAt) * 60 + minute(pickupAt) AS DOUBLE) AS minuteOfDay, vendor AS meter, CAST(CAST(rate AS INTEGER) AS VARCHAR) AS tariff,
        CAST(CAST(kind AS INTEGER) AS VARCHAR) AS hailed, passengers,
        date_diff('second', pickupAt, dropoffAt) / 60 AS minutes
      FROM trips
      WHERE date_diff('second', pickupAt, dropoffAt) BETWEEN 60 AND 3600`,
    key: ['trip'],
    time: 'pickupAt',
    columns: {
      trip: 'key',
      from: 'category',
      to: 'category',
      route: 'category',
      minuteOfDay: 'number',
      meter: 'category',
      tariff: 'category',
      hailed: 'category',
      minutes: 'number',
    },
  },
  target: { column: 'minutes' },
  // Meters send dates of years that have not come or are long gone.
  window: { from: '2021-01-01', to: '2021-03-01' },
  split: { by: 'time', validation: '7d', test: '28d' },
  refit: 'all',
} as const;

const gate = { metric: 'rmse', baselines: ['constant', 'one-feature', 'linear'], champion: { rule: 'not-worse', margin: 0.05 } } as const;

/** What is known when a trip begins. */
const before = {
  pickupAt: 'time',
  minuteOfDay: 'number',
  from: 'category',
  to: 'category',
  route: 'category',
  meter: 'category',
  tariff: 'category',
  hailed: 'category',
  passengers: 'number',
} as const;

const encode = { pickupAt: ['day-of-week'], from: ['mean'], to: ['mean'], route: ['mean'] } as const;

const train = [
  { trainer: 'linear', with: { l2: 10 } },
  { trainer: 'gbdt', with: { rate: 0.05, trees: 2000, columnShare: 0.8 }, try: { leaves: [31, 127], l2: [1, 10] } },
] as const;

/** How many minutes a taxi takes from zone to zone: asked before the trip, so that nobody knows how long the way will be. */
export const taxiDuration = defineModel({
  ...common,
  name: 'taxi-duration',
  request: before,
  encode,
  train,
  gate: { ...gate, plausible: { best: 5.4, because: 'strong libraries that know the miles, too, are 5.4 minutes off' } },
});

/** The same of trips that have ended, whose miles the meter has counted: to find those that took unusually long. */
export const taxiDurationMetered = defineModel({
  ...common,
  name: 'taxi-duration-metered',
  request: { ...before, miles: 'number' },
  encode,
  train,
  gate: { ...gate, plausible: { best: 3.5, because: 'of two years, strong libraries are 4.3 minutes off in the easier' } },
});
