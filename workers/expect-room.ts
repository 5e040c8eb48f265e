import { MlError } from '../core/errors.ts';
import type { Settings } from './config.ts';
import { expectFree, listens } from './ports.ts';
import { readRunning } from './running.ts';

/** Which setting changes a port, as messages name it. */
export const portSettings = {
  serving: ['the prediction server', '--port or PERENNIAL_PORT'],
  temporal: ['the Temporal server', 'PERENNIAL_TEMPORAL_PORT'],
  temporalUi: ['the Temporal web interface', 'PERENNIAL_TEMPORAL_UI_PORT'],
} as const;

/**
 * Whether everything that runs here may be started: looked at before anything is, since what starts first takes its time.
 *
 * @throws {MlError} `AlreadyRunning`, with the address; `PortTaken`
 */
export async function expectRoom({ home, port, temporal }: Pick<Settings, 'home' | 'port' | 'temporal'>): Promise<void> {
  const running = await readRunning(home);
  const address = running?.page ?? `http://${running?.temporal.address}`;
  // Its process may be gone, and its number be somebody else's now.
  if (running !== undefined && (await somebodyListens(Number(new URL(address).port)))) {
    throw new MlError(
      'AlreadyRunning',
      `\`perennial dev\` or the demo runs here already, at ${address} (process ${running.pid}): use that one, or stop it first`,
      { address, pid: running.pid, home },
    );
  }
  if (port !== undefined && port !== 0) await expectFree(port, ...portSettings.serving);
  if (temporal.given !== undefined) return;
  if (temporal.port !== undefined) await expectFree(temporal.port, ...portSettings.temporal);
  if (temporal.uiPort !== undefined) await expectFree(temporal.uiPort, ...portSettings.temporalUi);
}

const somebodyListens = (port: number): Promise<boolean> =>
  listens(port).then(
    () => true,
    () => false,
  );
