import { resolve } from 'node:path';
import { settingsOf } from '../../workers/config.ts';
import { findTemporalCli } from '../../workers/temporal-cli.ts';
import { startTemporalServer, type TemporalServer, type TemporalServerOptions } from '../../workers/temporal-server.ts';

/** The binary that the launcher would start. */
export async function temporalBinary(): Promise<string> {
  const { temporal } = settingsOf({}, resolve(import.meta.dirname, '../..'), process.env);
  return findTemporalCli({ ...temporal.cli, onProgress: (line) => process.stderr.write(`${line}\n`) });
}

/** A Temporal server of a test file's own, in memory and without its web interface; stop it in `afterAll`. Ready in half a second. */
export async function startTestTemporal(options: Partial<TemporalServerOptions> = {}): Promise<TemporalServer> {
  return startTemporalServer({ binary: await temporalBinary(), ui: false, ...options });
}
