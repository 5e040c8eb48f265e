import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before an S3 server and hides from its clients that a condition was not met: what a server does that takes conditions and ignores them. */
export async function startCarelessS3(endpoint: string): Promise<{ readonly endpoint: string; close(): Promise<void> }> {
  const { hostname, port } = new URL(endpoint);
  const server = createServer((asked, answer) => {
    // With its own host header, which is signed.
    const passed = request({ hostname, port, method: asked.method, path: asked.url, headers: asked.headers });
    passed.on('response', (heard) => {
      const refused = heard.statusCode === 412;
      if (refused) heard.resume();
      answer.writeHead(refused ? 200 : heard.statusCode!, refused ? { etag: '"won"', 'content-length': 0 } : heard.headers);
      if (refused) answer.end();
      else heard.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((done) => (server.close(() => done()), server.closeAllConnections())),
  };
}
