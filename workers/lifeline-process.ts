/**
 * Runs a command and ends it when its owner is gone, however the owner went: the owner holds the other end of standard input, and a pipe closes
 * on kill -9 too. For servers that cannot watch that themselves. Arguments: grace in milliseconds, command, its arguments.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const [grace, command = '', ...args] = process.argv.slice(2);
const server = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
let stopping = false;

function stop(): void {
  if (stopping) return;
  stopping = true;
  process.kill(-process.pid, 'SIGTERM');
  setTimeout(killAll, Number(grace));
}

/** Whatever is left of the group, this process included. */
const killAll = (): void => void process.kill(-process.pid, 'SIGKILL');

// Our own group's signal; and a terminal that hangs up closes the pipe as well.
process.on('SIGTERM', stop).on('SIGHUP', stop).on('SIGINT', stop);
process.stdin.on('end', stop).on('error', stop).resume();
server.once('error', (error) => {
  process.stderr.write(`${command} did not start: ${error.message}\n`);
  process.exit(127);
});
server.once('exit', (code, signal) => (stopping ? killAll() : process.exit(code ?? (signal === null ? 1 : 128 + constants.signals[signal]))));
