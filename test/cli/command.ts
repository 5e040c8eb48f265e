import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { compiled } from '../../workers/compiled.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  /** Folder of the project. */
  readonly project: string;
  /** PERENNIAL_HOME. */
  readonly home: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The command itself; default: this repository's. */
  readonly cli?: string;
}

/** Runs the compiled command with no environment but what is given: neither Temporal's variables nor a terminal's colours reach it. */
export function perennial(
  { project, home, input = '', env = {}, cli = compiled('cli/main') }: Surroundings,
  ...args: readonly string[]
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const options = { cwd: project, env: environment(home, env), maxBuffer: 1 << 26 };
    const child = execFile(process.execPath, [cli, ...args], options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
    child.stdin!.end(input);
  });
}

/** Starts a command that runs until it is stopped, with what it says on standard error to `onStderr`; resolves with the JSON value that it prints when it is ready. */
export async function started<T>(
  { project, home, env = {}, cli = compiled('cli/main'), onStderr }: Surroundings & { readonly onStderr?: (text: string) => void },
  ...args: readonly string[]
): Promise<{ child: ChildProcess; printed: T }> {
  const argv = [cli, ...args, '--json'];
  const child = spawn(process.execPath, argv, { cwd: project, env: environment(home, env), stdio: ['ignore', 'pipe', onStderr ? 'pipe' : 'ignore'] });
  if (onStderr) child.stderr!.setEncoding('utf8').on('data', onStderr);
  let text = '';
  for await (const chunk of child.stdout!.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.endsWith('}\n')) return { child, printed: JSON.parse(text) as T };
  }
  throw new Error(`${args.join(' ')} ended before it was ready: ${text}`);
}

const environment = (home: string, env: Surroundings['env']) => ({ PATH: process.env['PATH'], HOME: home, PERENNIAL_HOME: home, ...env });
