import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { MlError } from '../core/errors.ts';
import { messageOf } from '../core/message-of.ts';

/**
 * A free port on loopback. The system may give a port that was closed to somebody else at once; a connection that our side closes first keeps it
 * from doing so for a minute, while it can still be bound by name.
 */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connect(port, '127.0.0.1');
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
  client.resume();
  accepted.end();
  await once(client, 'close');
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * The port itself, when nobody listens on it.
 * @throws {MlError} `PortTaken`, naming what wanted it and the setting that changes it; `ConfigInvalid` where nobody could listen.
 */
export async function expectFree(port: number, what: string, setting: string, host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
      const where = `${host}:${port}`;
      throw new MlError('ConfigInvalid', `${what} cannot listen on ${where} (${messageOf(error)}): choose another with ${setting} or --host`, {
        port,
        host,
        what,
      });
    }
    throw new MlError('PortTaken', `port ${port} for ${what} is taken: stop what listens there, or choose another with ${setting}`, { port, what });
  } finally {
    server.close();
  }
  return port;
}

/** Resolves when somebody listens on the port, rejects when nobody does. */
export async function listens(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
