/** What a spec's `retrain` leaves open. A day of catching up, so that a machine which sleeps at night still trains in the morning. */
export const retrainDefaults = { overlap: 'skip', catchUp: '1d' } as const;
