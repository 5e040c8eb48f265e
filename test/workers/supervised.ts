/** A supervised process of three services, for supervisor.test.ts: says each event on a line. Argument: what goes wrong. */
import { setTimeout as sleep } from 'node:timers/promises';
import { compiled } from '../../workers/compiled.ts';
import { startWithLifeline } from '../../workers/lifeline.ts';
import { processService } from '../../workers/process-service.ts';
import { type Service, supervise } from '../../workers/supervisor.ts';

const [fault] = process.argv.slice(2);
const say = (event: unknown): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

const temporal: Service = {
  name: 'temporal',
  async start() {
    const server = startWithLifeline('sleep', ['600']);
    say({ pid: server.pid });
    return { ended: server.exited, stop: server.stop };
  },
};
const worker = processService({
  name: 'worker',
  entry: compiled('test/workers/supervised-worker'),
  input: { fault },
  restart: 'on-failure',
  onReady: (facts) => say(facts),
});
const server: Service = {
  name: 'server',
  async start() {
    if (fault === 'server-does-not-start') throw new Error('no port is free');
    // Keeps the process alive, as a server would.
    const alive = setInterval(() => {}, 1000);
    return {
      ended: new Promise(() => {}),
      async stop() {
        if (fault === 'server-stops-slowly') await sleep(60_000);
        clearInterval(alive);
      },
    };
  },
};

const supervisor = supervise([temporal, worker, server], { onEvent: say });
try {
  await supervisor.start();
  say({ done: await supervisor.done });
} catch (error) {
  say({ error: (error as Error).message });
}
