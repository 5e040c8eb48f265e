import type { Command } from 'commander';
import { deciding, type DecidingFlags } from '../deciding.ts';
import { perform, verb } from '../verb.ts';
import { decide } from './approve.ts';

export function rejectCommand(program: Command): void {
  deciding(
    verb(program, 'reject <version>', 'decide that a version that awaits a decision is not promoted', [
      'reject payment-fraud@3 --reason "trained on the week of the outage"',
    ]),
  ).action((version: string, flags: DecidingFlags) => perform(flags, (at) => decide(at, 'reject', version, flags)));
}
