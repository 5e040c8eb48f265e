import { open } from 'node:fs/promises';

/** A new name in a folder survives a power cut only after the folder itself is flushed. Windows flushes names by itself and refuses the call. */
async function flush(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

interface Flushes {
  running: Promise<void>;
  /** The flush after the running one; all who come meanwhile share it, since it begins after their names were written. */
  next: Promise<void> | undefined;
}

const underWay = new Map<string, Flushes>();

/** Makes every name that is in `folder` now durable. Concurrent calls on one folder cost two flushes, not one each. */
export function syncFolder(folder: string): Promise<void> {
  const flushes = underWay.get(folder);
  if (flushes !== undefined)
    return (flushes.next ??= flushes.running.then(
      () => start(folder),
      () => start(folder),
    ));
  return start(folder);
}

function start(folder: string): Promise<void> {
  const flushes: Flushes = { running: flush(folder), next: undefined };
  underWay.set(folder, flushes);
  const finished = () => {
    if (underWay.get(folder) === flushes && flushes.next === undefined) underWay.delete(folder);
  };
  flushes.running.then(finished, finished);
  return flushes.running;
}
