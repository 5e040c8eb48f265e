import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const executablePath = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium'].find((path) => path !== undefined && existsSync(path));
if (!executablePath) process.stderr.write('no browser at CHROMIUM_PATH or /usr/bin/chromium: tests in a browser are skipped\n');

/** Whether there is a browser; where there is none its tests are skipped, visibly. */
export const hasBrowser: boolean = executablePath !== undefined;

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser without a window that asks nobody for anything by itself. */
export const startBrowser = (): Promise<Browser> => chromium.launch({ executablePath: executablePath!, args: quiet });
