import { defineModel } from 'perennial-ml';

/** Minutes since midnight of a time that couriers' phones write as `21:30`, as `24:05` after midnight, or as a fraction of a day. */
const minutesOf = (column: string): string =>
  `CASE WHEN ${column} LIKE '%:%' THEN (TRY_CAST(split_part(${column}, ':', 1) AS INTEGER) * 60 + TRY_CAST(split_part(${column}, ':', 2) AS INTEGER)) % 1440 ` +
  `ELSE CAST(round(TRY_CAST(${column} AS DOUBLE) * 1440) AS INTEGER) % 1440 END`;

/** Kilometres between two points of the earth, taken as a sphere (haversine formula, radius 6,371 km). */
const haversineKm = (latitude: string, longitude: string, toLatitude: string, toLongitude: string): string =>
  `2 * 6371 * asin(sqrt(pow(sin(radians(${toLatitude} - ${latitude}) / 2), 2) + ` +
  `cos(radians(${latitude})) * cos(radians(${toLatitude})) * pow(sin(radians(${toLongitude} - ${longitude}) / 2), 2)))`;

/** How many minutes a delivery takes from the order on, by where it goes, who rides, weather and traffic. */
export const deliveryTime = defineModel({
  format: 1,
  name: 'delivery-time',
  task: 'regression',
  intendedUse: 'To tell customers how long a delivery will take when they order. Not to measure couriers: what they cannot change is in it, too.',
  sources: {
    orders: {
      from: 'orders:/orders.csv',
      read: 'csv',
      key: ['orderId'],
      time: 'orderDate',
      columns: {
        orderId: { kind: 'key', named: 'ID' },
        courierId: { kind: 'key', named: 'Delivery_person_ID' },
        courierAge: { kind: 'number', named: 'Delivery_person_Age' },
        courierRating: { kind: 'number', named: 'Delivery_person_Ratings' },
        fromLatitude: { kind: 'number', named: 'Restaurant_latitude' },
        fromLongitude: { kind: 'number', named: 'Restaurant_longitude' },
        toLatitude: { kind: 'number', named: 'Delivery_location_latitude' },
        toLongitude: { kind: 'number', named: 'Delivery_location_longitude' },
        orderDate: { kind: 'time', named: 'Order_Date', format: '%d-%m-%Y' },
        orderTime: { kind: 'text', named: 'Time_Orderd' },
        pickedTime: { kind: 'text', named: 'Time_Order_picked' },
        weather: { kind: 'category', named: 'Weather_conditions' },
        traffic: { kind: 'category', named: 'Road_traffic_density' },
        vehicleCondition: { kind: 'number', named: 'Vehicle_condition' },
        dish: { kind: 'category', named: 'Type_of_order' },
        vehicle: { kind: 'category', named: 'Type_of_vehicle' },
        otherDeliveries: { kind: 'number', named: 'multiple_deliveries' },
        festival: { kind: 'category', named: 'Festival' },
        area: { kind: 'category', named: 'City' },
        minutes: { kind: 'number', named: 'Time_taken (min)' },
      },
    },
  },
  contract: [
    { check: 'range', of: 'orders.minutes', min: 5, max: 120 },
    { check: 'range', of: 'orders.courierRating', min: 1, max: 5, severity: 'warn' },
    { check: 'range', of: 'orders.fromLatitude', min: 6, max: 37, severity: 'warn' },
    { check: 'not-null', of: 'orders.orderTime', maxShare: 0.02, severity: 'warn' },
    { check: 'sql', name: 'a place of its own', sql: 'SELECT * FROM orders WHERE fromLatitude = 0 AND fromLongitude = 0', severity: 'warn' },
    { check: 'sql', name: 'latitude of the right sign', sql: 'SELECT * FROM orders WHERE fromLatitude * toLatitude < 0', severity: 'warn' },
    { check: 'sql', name: 'order time as hours and minutes', sql: `SELECT * FROM orders WHERE orderTime NOT LIKE '%:%'`, severity: 'warn' },
    {
      check: 'sql',
      name: 'no time after midnight',
      sql: `SELECT * FROM orders WHERE orderTime LIKE '24:%' OR pickedTime LIKE '24:%'`,
      severity: 'warn',
    },
    { check: 'row-count', of: 'orders', min: 1000 },
  ],
  rows: {
    sql: `
      WITH repaired AS (
        SELECT * REPLACE (abs(fromLatitude) AS fromLatitude, abs(fromLongitude) AS fromLongitude, abs(toLatitude) AS toLatitude, abs(toLongitude) AS toLongitude),
          ${minutesOf('orderTime')} AS orderedAt, ${minutesOf('pickedTime')} AS pickedAt
        FROM orders
        WHERE NOT (fromLatitude = 0 AND fromLongitude = 0) AND coalesce(courierRating <= 5, true)
      )
      SELECT orderId, regexp_extract(courierId, '^(.*?)RES', 1) AS city, orderDate + to_minutes(CAST(coalesce(orderedAt, pickedAt) AS BIGINT)) AS at,
        ${haversineKm('fromLatitude', 'fromLongitude', 'toLatitude', 'toLongitude')} AS distanceKm,
        toLatitude - fromLatitude AS northwards, toLongitude - fromLongitude AS eastwards,
        CAST((pickedAt - orderedAt + 1440) % 1440 AS DOUBLE) AS preparationMinutes,
        courierAge, courierRating, vehicleCondition, otherDeliveries, weather, traffic, dish, vehicle, festival, area, minutes
      FROM repaired`,
    key: ['orderId'],
    time: 'at',
    columns: { city: 'category', at: 'time', distanceKm: 'number', northwards: 'number', eastwards: 'number', preparationMinutes: 'number' },
  },
  request: {
    at: 'time',
    distanceKm: 'number',
    northwards: 'number',
    eastwards: 'number',
    preparationMinutes: 'number',
    courierAge: 'number',
    courierRating: 'number',
    vehicleCondition: 'number',
    otherDeliveries: 'number',
    weather: 'category',
    traffic: 'category',
    dish: 'category',
    vehicle: 'category',
    festival: 'category',
    area: 'category',
  },
  target: { column: 'minutes' },
  // A customer is told from when till when: four of five orders come in between.
  interval: { coverage: 0.8 },
  // A city's own model must not be worse than that of all orders, which answers for every city without one.
  segments: { by: 'city', only: ['BANG', 'CHEN', 'COIMB', 'HYD', 'INDO', 'JAP', 'MUM', 'MYS', 'PUNE', 'RANCHI', 'SUR', 'VAD'] },
  split: { by: 'time', validation: '9d', test: '9d' },
  slices: ['area', 'traffic'],
  train: [
    { trainer: 'linear', try: { l2: [1, 100] } },
    {
      trainer: 'gbdt',
      with: { rate: 0.03, trees: 3000, patience: 100 },
      try: { leaves: [15, 31], columnShare: [0.6, 1] },
    },
  ],
  gate: {
    metric: 'mae',
    baselines: ['constant', 'one-feature', 'linear'],
    champion: { rule: 'not-worse', margin: 0.02 },
    floors: [{ slice: 'all', metric: 'interval-coverage', min: 0.75 }],
    plausible: { best: 2.9, because: 'boosting by strong libraries is 3.2 minutes off' },
  },
  refit: 'all',
});
