import { spawn } from 'node:child_process';
import { endOf } from './child-process/end-of.ts';
import { killGroup } from './child-process/kill-group.ts';
import { compiled } from './compiled.ts';

export interface LifelineOptions {
  /** From TERM to KILL. */
  readonly graceMs?: number;
  readonly cwd?: string;
  /** Each line of standard output and standard error. */
  readonly onLine?: (line: string) => void;
}

export interface Lifeline {
  /** The lifeline's, and its group's; the command itself is below it. */
  readonly pid: number;
  /** Exit code, once the command has ended by itself or by `stop`; 128 and the signal's number for one that a signal ended. */
  readonly exited: Promise<number>;
  /** The end of what it wrote. */
  output(): string;
  stop(): Promise<void>;
}

/** Starts a command that dies with this process, crash or not. See lifeline-process.ts. */
export function startWithLifeline(command: string, args: readonly string[], options: LifelineOptions = {}): Lifeline {
  const { graceMs = 5000, cwd, onLine = () => {} } = options;
  const child = spawn(process.execPath, [compiled('workers/lifeline-process'), String(graceMs), command, ...args], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-8000);
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(onLine);
    });
  }
  child.stdin.on('error', () => {}); // Already gone.
  // Whoever kills the lifeline itself leaves the command, which would hold on to what this process reads.
  child.once('exit', () => killGroup(child));
  const exited = endOf(child).then(({ code }) => code ?? 128);
  exited.catch(() => {});
  return {
    pid: child.pid ?? -1,
    exited,
    output: () => text.trim(),
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}
