import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { compiled } from '../../workers/compiled.ts';
import { listens } from '../../workers/ports.ts';
import { ensureRetention, ensureSearchAttributes, searchAttributes } from '../../workers/temporal-namespace.ts';
import { startTemporalServer, type TemporalServer, useTemporalServer } from '../../workers/temporal-server.ts';
import { startTestTemporal, temporalBinary } from '../support/temporal.ts';
import { until } from './processes.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'perennial-temporal-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

async function withClient<T>({ address, namespace }: Pick<TemporalServer, 'address' | 'namespace'>, act: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await act(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}

describe('the Temporal server that the launcher starts', () => {
  test('is ready for a worker: own namespace, search attributes registered, runs kept for a month, web interface there', async () => {
    const server = await startTestTemporal({ namespace: 'films', ui: true });
    try {
      await withClient(server, async ({ connection }) => {
        const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'films' });
        expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(searchAttributes.map(({ name }) => name)));
        const { config } = await connection.workflowService.describeNamespace({ namespace: 'films' });
        expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 86_400);
      });
      expect((await fetch(server.uiUrl ?? '')).status).toBe(200);
    } finally {
      await server.stop();
    }
  });

  test('remembers its workflows after a restart, and two cannot share a data folder', async () => {
    const dataFolder = join(folder, 'restart');
    const first = await startTestTemporal({ dataFolder });
    const workflowId = 'train/top-movies/all';
    try {
      await withClient(first, (client) =>
        client.workflow.start('train', { taskQueue: 'nobody', workflowId, searchAttributes: { MlModel: ['top-movies'] } }),
      );
      await expect(startTestTemporal({ dataFolder })).rejects.toMatchObject({
        code: 'TemporalUnavailable',
        message: expect.stringContaining(dataFolder),
      });
    } finally {
      await first.stop();
    }
    const second = await startTestTemporal({ dataFolder });
    try {
      const described = await withClient(second, (client) => client.workflow.getHandle(workflowId).describe());
      expect(described.searchAttributes['MlModel']).toEqual(['top-movies']);
    } finally {
      await second.stop();
    }
  });

  test('says which port is taken, by what it is wanted, and how to choose another', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    try {
      await expect(startTestTemporal({ port })).rejects.toMatchObject({
        code: 'PortTaken',
        message: expect.stringMatching(`${port}.*PERENNIAL_TEMPORAL_PORT`),
      });
      await expect(startTestTemporal({ uiPort: port })).rejects.toMatchObject({
        code: 'PortTaken',
        message: expect.stringContaining('web interface'),
      });
    } finally {
      other.close();
    }
  });

  test('dies with its owner, even by kill -9, and the next one starts on the same data', async () => {
    const dataFolder = join(folder, 'owner');
    const owner = spawn(process.execPath, [compiled('test/workers/temporal-owner'), await temporalBinary(), dataFolder], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = await once(owner.stdout, 'data');
    const port = Number(/:(\d+) /.exec(String(line))?.[1]);
    await listens(port);
    owner.kill('SIGKILL');
    await until(() =>
      listens(port).then(
        () => false,
        () => true,
      ),
    );
    const next = await startTestTemporal({ dataFolder });
    await next.stop();
  });

  test('that cannot start says what it said', async () => {
    await expect(startTemporalServer({ binary: process.execPath, ui: false })).rejects.toMatchObject({
      code: 'TemporalUnavailable',
      message: expect.stringMatching(/exit code 1: .*Cannot find module/s),
    });
  });
});

describe('a Temporal server that is given', () => {
  test('gets the search attributes that it lacks, however often it is asked, and keeps its retention', async () => {
    const server = await startTestTemporal();
    try {
      await withClient(server, async ({ connection }) => {
        await connection.operatorService.removeSearchAttributes({ namespace: 'default', searchAttributes: ['MlModel', 'MlInputs'] });
        await useTemporalServer({ address: server.address }, 'default');
        const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
        expect(customAttributes).toMatchObject({ MlModel: 2, MlInputs: 7 });
        await Promise.all([ensureSearchAttributes(connection, 'default'), ensureSearchAttributes(connection, 'default')]);
        await ensureRetention(connection, 'default', 7);
        const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
        expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 86_400);
      });
    } finally {
      await server.stop();
    }
  });

  test('that does not answer is named, with the ways out', async () => {
    await expect(useTemporalServer({ address: '127.0.0.1:1', connectTimeout: '1s' }, 'default')).rejects.toMatchObject({
      code: 'TemporalUnavailable',
      message: expect.stringMatching(/127\.0\.0\.1:1.*TEMPORAL_ADDRESS/),
    });
  });
});
