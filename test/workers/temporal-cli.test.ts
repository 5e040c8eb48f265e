import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findTemporalCli } from '../../workers/temporal-cli.ts';

/** A shell script stands in for the binary: what is tested is where one comes from. The real one runs in temporal-server.server.test.ts. */
const script = (server: string): string => `#!/bin/sh\necho "temporal version 1.5.1 (Server ${server}, UI 2.42.1)"\n`;
/** Fetch refuses this port by itself. */
const nowhere = 'http://127.0.0.1:1';

let folder: string;
let cacheFolder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-cli-'));
  cacheFolder = join(folder, 'cache');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function binary(path: string, server = '1.29.1'): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, script(server));
  await chmod(path, 0o755);
  return path;
}

describe('the Temporal command line is', () => {
  test('the given one', async () => {
    const given = await binary(join(folder, 'mine/temporal'));
    expect(await findTemporalCli({ given, path: '', cacheFolder })).toBe(given);
  });

  test('never another than the given one', async () => {
    const given = await binary(join(folder, 'mine/temporal'), '1.20.0');
    await binary(join(cacheFolder, 'temporal-cli/temporal'));
    await expect(findTemporalCli({ given, path: '', cacheFolder })).rejects.toThrow(/server 1\.20, and 1\.29 is the oldest.*TEMPORAL_CLI_PATH/);
  });

  test('the one on the PATH before the cached one, unless it is too old', async () => {
    const cached = await binary(join(cacheFolder, 'temporal-cli/temporal'));
    const onPath = await binary(join(folder, 'bin/temporal'), '1.30.0');
    const path = `/nowhere:${join(folder, 'bin')}`;
    expect(await findTemporalCli({ path, cacheFolder })).toBe(onPath);
    await binary(onPath, '1.28.0');
    expect(await findTemporalCli({ path, cacheFolder })).toBe(cached);
  });

  describe('downloaded', () => {
    let server: Server;
    let requests: string[];
    let archive: Buffer;
    let downloadFrom: string;
    beforeEach(async () => {
      await binary(join(folder, 'archive/temporal'));
      execFileSync('tar', ['-czf', join(folder, 'temporal.tar.gz'), '-C', join(folder, 'archive'), 'temporal']);
      archive = await readFile(join(folder, 'temporal.tar.gz'));
      requests = [];
      server = createServer((request, response) => {
        requests.push(request.url ?? '');
        if (request.url?.startsWith('/cli/default')) {
          response.end(JSON.stringify({ archiveUrl: `${downloadFrom}/temporal.tar.gz`, fileToExtract: 'temporal' }));
        } else response.setHeader('content-length', archive.length).end(archive);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      downloadFrom = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    });
    afterEach(() => void server.close());

    test('once, by however many ask at the same time, into the cache', async () => {
      const lines: string[] = [];
      const ask = () => findTemporalCli({ path: '/usr/bin:/bin', cacheFolder, downloadFrom, onProgress: (line) => lines.push(line) });
      const [one, two] = await Promise.all([ask(), ask()]);
      expect([one, two]).toEqual(Array(2).fill(join(cacheFolder, 'temporal-cli/temporal')));
      expect(requests).toHaveLength(2);
      expect(requests[0]).toMatch(/platform=\w+&arch=\w+/);
      expect(lines).toContain('downloaded 100 % of 0 MB');
      expect((await stat(one)).mode & 0o111).toBe(0o111);
      expect(
        createHash('sha256')
          .update(await readFile(one))
          .digest('hex'),
      ).toBe(createHash('sha256').update(script('1.29.1')).digest('hex'));
    });
  });

  test('built with Go, where there is no network to download from, and its progress is told', async () => {
    const go = join(folder, 'bin/go');
    await binary(go);
    await writeFile(
      go,
      `#!/bin/sh\necho "$GOBIN $CGO_ENABLED $*" >> ${folder}/go.log\necho package/one >&2\nprintf '%s' '${script('1.29.1')}' > $GOBIN/temporal\nchmod +x $GOBIN/temporal\n`,
    );
    const lines: string[] = [];
    const found = await findTemporalCli({
      path: `${join(folder, 'bin')}:/usr/bin:/bin`,
      cacheFolder,
      downloadFrom: nowhere,
      onProgress: (line) => lines.push(line),
    });
    expect(found).toBe(join(cacheFolder, 'temporal-cli/temporal'));
    expect(await readFile(join(folder, 'go.log'), 'utf8')).toMatch(
      /making-\S+ 0 install -v -trimpath -ldflags -s -w github.com\/temporalio\/cli\/cmd\/temporal@v1\.5\.1/,
    );
    expect(lines[0]).toMatch(/with Go, once/);
  });

  test('missing with all that was tried, and the ways out', async () => {
    const go = await binary(join(folder, 'bin/go'));
    await writeFile(go, '#!/bin/sh\necho "dial tcp: no route to host" >&2\nexit 1\n');
    const error = await findTemporalCli({ path: join(folder, 'bin'), cacheFolder, downloadFrom: nowhere }).catch((each: Error) => each);
    expect(error).toMatchObject({ code: 'TemporalUnavailable' });
    expect((error as Error).message).toMatch(
      /on the PATH: .*download: fetch failed.*building with Go: .*no route to host.*TEMPORAL_ADDRESS=.*TEMPORAL_CLI_PATH=.*GOPROXY/s,
    );
  });
});
