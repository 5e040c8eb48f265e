import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page, Response } from 'playwright-core';
import { connect } from '../../client/client.ts';
import type { PerennialClient } from '../../client/client.ts';
import { encryptionCodec, payloadToJson } from '../../client/encryption.ts';
import type { Cipher } from '../../core/cipher.ts';
import { loadSettings } from '../../workers/config.ts';
import { devServices } from '../../workers/dev-services.ts';
import { cipherOf } from '../../workers/encryption.ts';
import type { RunningService } from '../../workers/supervisor.ts';
import { started } from '../cli/command.ts';
import { makeProject } from '../cli/project.ts';
import { hasBrowser, startBrowser } from '../support/chromium.ts';
import { temporalBinary } from '../support/temporal.ts';
import { until } from '../workflows/harness.ts';

const secret = 'a title that Temporal must not read';
const encrypted = Buffer.from('binary/encrypted').toString('base64');
const config = `export default { encryption: { current: 'k1', keys: { k1: { file: 'k1' } } } };`;
const key = randomBytes(32).toString('base64');

(hasBrowser ? describe : describe.skip)("Temporal's web UI", () => {
  let project: Awaited<ReturnType<typeof makeProject>>;
  const running: RunningService[] = [];
  let uiUrl: string;
  let cipher: Cipher;
  let client: PerennialClient;
  let runPath: string;
  let browser: Browser;
  let foreign: Server;
  const commands: ChildProcess[] = [];
  let codecUrl: string;

  /** Of all that `dev` starts: Temporal with its web UI, and the codec server that the UI is told of. A run that no worker takes is enough to look at. */
  beforeAll(async () => {
    project = await makeProject({ 'perennial.config.js': config, k1: key });
    const settings = await loadSettings(project.folder, { PERENNIAL_HOME: '.home', TEMPORAL_CLI_PATH: await temporalBinary() });
    const { services, links } = devServices(settings, { specs: new Map(), workflowModules: [], stepModules: [], trainScripts: [] });
    for (const name of ['temporal', 'codec server']) {
      running.push(await services.find((service) => service.name === name)!.start(new AbortController().signal));
    }
    const { address, uiUrl: url } = links().temporal;
    uiUrl = url!;
    cipher = (await cipherOf(settings.security))!;
    client = await connect({ address, cipher });
    const { workflowId, runId } = await client.run('lookAtMe', { secret });
    runPath = `/namespaces/default/workflows/${workflowId}/${runId}/history`;
    codecUrl = await codecServer(uiUrl);
    browser = await startBrowser();
    foreign = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<title>Elsewhere</title>')).listen(0, '127.0.0.1');
    await once(foreign, 'listening');
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    foreign?.close();
    await client?.close();
    for (const child of commands) {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    }
    for (const each of running.toReversed()) await each.stop();
    await project?.remove();
  });

  /** `perennial codec-server`, as it is started by hand. */
  async function codecServer(ui: string): Promise<string> {
    const place = { project: project.folder, home: join(project.folder, '.home') };
    const { child, printed } = await started<{ readonly url: string }>(place, 'codec-server', '--ui', ui);
    commands.push(child);
    return printed.url;
  }

  interface Opened {
    readonly page: Page;
    /** What codec servers answered, and what the browser complained about. */
    readonly answers: readonly Response[];
    readonly complaints: readonly string[];
  }

  /** Shows the run's page to somebody whose web UI keeps these settings. */
  async function look(at: string, kept: Readonly<Record<string, unknown>>, use: (opened: Opened) => Promise<void>): Promise<void> {
    const context = await browser.newContext();
    const entries = JSON.stringify(Object.entries(kept).map(([name, value]) => [name, JSON.stringify(value)]));
    await context.addInitScript({ content: `for (const [name, value] of ${entries}) localStorage.setItem(name, value);` });
    const page = await context.newPage();
    const [answers, complaints]: [Response[], string[]] = [[], []];
    page.on('response', (response) => {
      if (response.url().endsWith('/decode')) answers.push(response);
    });
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    try {
      await page.goto(at + runPath);
      await use({ page, answers, complaints });
    } finally {
      await context.close();
    }
  }

  const decoded = (page: Page) => page.getByText(secret).first().waitFor();

  test.each(['127.0.0.1', 'localhost'])('of `dev` shows what went in encrypted, with nothing to set, under the name %s', async (name) => {
    await look(`http://${name}:${new URL(uiUrl).port}`, {}, async ({ page, answers, complaints }) => {
      await decoded(page);
      expect(complaints).toEqual([]);
      expect(answers.map((each) => each.status())).not.toContain(403);
      expect(answers[0]!.request().headers()).toMatchObject({ 'x-namespace': 'default', 'content-type': 'application/json' });
      // Temporal itself never had it.
      const history = await (await page.request.get(`${uiUrl}/api/v1${runPath.replace(/[^/]+.history$/, 'history')}`)).text();
      expect(history).toContain(encrypted);
      for (const form of [secret, Buffer.from(secret).toString('base64').slice(0, 40)]) expect(history).not.toContain(form);
    });
  });

  describe('that was given the address of `perennial codec-server` by hand', () => {
    /** As the web UI keeps what stands in its dialogue "Codec Server". */
    const settings = (endpoint: string) => ({ endpoint, overrideRemoteCodecConfiguration: true });

    test.each([false, true])('shows what went in, also where it is told to send credentials along (%s)', async (includeCredentials) => {
      await look(uiUrl, { ...settings(codecUrl), includeCredentials }, async ({ page, answers, complaints }) => {
        await decoded(page);
        expect(answers[0]!.url()).toBe(`${codecUrl}/decode`);
        expect(complaints).toEqual([]);
      });
    });

    test('shows nothing where the server was started for another web UI', async () => {
      await look(uiUrl, settings(await codecServer('http://localhost:8080')), async ({ page, answers, complaints }) => {
        await until('the browser has complained', () => complaints.some((text) => text.includes('CORS')));
        await page.getByText(encrypted).first().waitFor();
        expect(await page.getByText(secret).count()).toBe(0);
        expect(answers).toEqual([]);
      });
    });
  });

  test.each([
    ['asks as the web UI does', 'application/json', 'cors'],
    ['asks without a question beforehand', 'text/plain', 'no-cors'],
  ])('alone is answered: a page of another origin that %s gets nothing', async (_, type, mode) => {
    const { port } = foreign.address() as AddressInfo;
    const [payload] = await encryptionCodec(cipher).encode([{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(secret) }]);
    const headers = { 'content-type': type, ...(mode === 'cors' && { 'x-namespace': 'default' }) };
    const request = { method: 'POST', mode, headers, body: JSON.stringify({ payloads: [payloadToJson(payload!)] }) };
    const ask = `fetch(${JSON.stringify(`${codecUrl}/decode`)}, ${JSON.stringify(request)}).then((answer) => answer.text(), String)`;
    const page = await browser.newPage();
    const statuses: number[] = [];
    page.on('response', (response) => {
      if (response.url().startsWith(codecUrl)) statuses.push(response.status());
    });
    await page.goto(`http://127.0.0.1:${port}`);
    // A page in a sandbox has no origin at all, and says so.
    await page.evaluate(`document.body.append(Object.assign(document.createElement('iframe'), { sandbox: 'allow-scripts', srcdoc: 'Inside' }))`);
    await page.frameLocator('iframe').getByText('Inside').waitFor();
    for (const frame of page.frames()) expect(await frame.evaluate(ask)).toBe(mode === 'cors' ? 'TypeError: Failed to fetch' : '');
    expect(statuses.every((status) => status === 403)).toBe(true);
    if (mode === 'no-cors') expect(statuses).toHaveLength(2);
    await page.close();
  });
});
