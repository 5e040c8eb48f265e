/** Seconds by the name of what took them. */
export function stopwatch(setUp: number): { lap(name: string): void; seconds(): Readonly<Record<string, number>> } {
  const laps: Record<string, number> = { setUp };
  let last = performance.now();
  const round = (seconds: number) => Math.round(seconds * 100) / 100;
  return {
    lap(name) {
      laps[name] = (performance.now() - last) / 1000;
      last = performance.now();
    },
    seconds: () => ({
      ...Object.fromEntries(Object.entries(laps).map(([name, seconds]) => [name, round(seconds)])),
      total: round(Object.values(laps).reduce((sum, seconds) => sum + seconds, 0)),
    }),
  };
}
