import { execFileSync } from 'node:child_process';

export interface Descendant {
  readonly pid: number;
  /** With the pid it names a process for good: pids are given again. */
  readonly started: string;
  readonly args: string;
}

/** All processes below this one, as they are now. */
export function descendants(): readonly Descendant[] {
  const rows = table();
  const found: Descendant[] = [];
  for (let parents = new Set([process.pid]); parents.size > 0;) {
    const below = rows.filter(({ ppid }) => parents.has(ppid));
    found.push(...below);
    parents = new Set(below.map(({ pid }) => pid));
  }
  return found;
}

/** Those of some processes that live still. */
export function alive(known: Iterable<Descendant>): readonly Descendant[] {
  const now = new Map(table().map((row) => [row.pid, row]));
  return [...known].filter(({ pid, started }) => now.get(pid)?.started === started);
}

function table(): readonly (Descendant & { readonly ppid: number })[] {
  const text = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,lstart=,args='], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return text.split('\n').flatMap((line) => {
    const [, pid, ppid, state, started, args] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/.exec(line) ?? [];
    // What is dead and not yet buried lives no more; and `ps` itself is no part of anything.
    return pid === undefined || state!.startsWith('Z') || args!.startsWith('ps -A')
      ? []
      : [{ pid: Number(pid), ppid: Number(ppid), started: started!, args: args! }];
  });
}

/** Kills with -9 what lives below this process and whose command line passes the test; how many there were. */
export function killWhere(test: (args: string) => boolean): number {
  return descendants().filter(({ args, pid }) => test(args) && killed(pid)).length;
}

function killed(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
