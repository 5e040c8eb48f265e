const preload = (script: string) => ({ NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(script)}` });

/** Environment of a process that believes to run on another Node. */
export const onNode = (version: string) =>
  preload(`for (const [of, name, value] of [[process, 'version', 'v${version}'], [process, 'versions', { ...process.versions, node: '${version}' }]])
    Object.defineProperty(of, name, { value });`);

/** Environment of a process whose clock is off; that of the file system is not. */
export const withClockOff = (ms: number) =>
  preload(`const { now } = Date;
    globalThis.Date = class extends Date {
      constructor(...given) { super(...(given.length === 0 ? [now() + ${ms}] : given)); }
      static now = () => now() + ${ms};
    };`);
