import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { WorkerConfig } from '../core/config.ts';
import type { Role } from '../core/ids.ts';

export const allRoles = ['control', 'compute', 'gpu'] as const satisfies readonly Role[];

/** What this process may use of its machine: a container has less than its host. */
export interface Machine {
  readonly cores: number;
  /** Free memory in bytes. */
  readonly memory: number;
}

/** The control role waits more than it works. One accelerator does one training at a time. */
const fixed = { control: 50, gpu: 1 } as const;

/** How many steps of a role run at the same time: for compute one a core, fewer where memory is short, and at least one. */
export function slotsOf(role: Role, { computeSlots, memoryMb }: WorkerConfig, machine: () => Machine = thisMachine): number {
  if (role !== 'compute') return fixed[role];
  if (computeSlots !== undefined) return computeSlots;
  const { cores, memory } = machine();
  const fit = memoryMb === undefined ? cores : Math.floor(memory / (memoryMb * 1024 * 1024));
  return Math.max(1, Math.min(cores, fit));
}

/** `availableMemory` knows the limit of a control group; of its share of processor time Node learned only later. */
function thisMachine(): Machine {
  return { cores: Math.min(availableParallelism(), coresGranted(cpuMax())), memory: process.availableMemory() };
}

/** Cores that a control group's `cpu.max` allows, rounded up: `200000 100000` is two, `max 100000` is no limit. */
export function coresGranted(text: string): number {
  const [quota, period] = text.trim().split(' ').map(Number);
  return quota! > 0 && period! > 0 ? Math.ceil(quota! / period!) : Infinity;
}

function cpuMax(): string {
  try {
    return readFileSync('/sys/fs/cgroup/cpu.max', 'utf8');
  } catch {
    // Another system, or none of the second version: nothing is said.
    return 'max';
  }
}
