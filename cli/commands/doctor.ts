import type { Command } from 'commander';
import { isErrorCode } from '../../core/errors.ts';
import { messageOf } from '../../core/message-of.ts';
import { duckdb, onnx } from '../doctor/engines.ts';
import type { Check, Finding } from '../doctor/finding.ts';
import { disk, memory, node } from '../doctor/machine.ts';
import { project } from '../doctor/project.ts';
import { secrets } from '../doctor/secrets.ts';
import { store } from '../doctor/store.ts';
import { temporal } from '../doctor/temporal.ts';
import { styled } from '../output.ts';
import { perform, verb } from '../verb.ts';
import type { VerbOptions } from '../verb.ts';
import type { Workplace } from '../workplace.ts';

/** In the order in which one would look. */
const checks: readonly Check[] = [node, memory, disk, duckdb, onnx, project, secrets, store, temporal];

export function doctorCommand(program: Command): void {
  verb(program, 'doctor', 'look at all that has to work: Node, disk, engines, store (it is raced), Temporal, clocks, secrets; each with a cure', [
    'doctor',
    'doctor --json',
  ]).action((flags: VerbOptions) => perform(flags, doctor));
}

async function doctor(at: Workplace): Promise<number> {
  const findings: Finding[] = [];
  for (const check of checks) findings.push(...(await look(check, at)));
  const ill = findings.filter(({ state }) => state === 'ill').length;
  at.out.result({ well: ill === 0, findings }, () => findings.map(line).join('\n'));
  return ill === 0 ? 0 : 1;
}

async function look(check: Check, at: Workplace): Promise<readonly Finding[]> {
  try {
    return await check.look(at);
  } catch (error) {
    // Messages of ours end with their cure.
    const code = (error as { readonly code?: unknown }).code;
    return [{ of: check.of, state: 'ill', found: `${isErrorCode(code) ? `[${code}] ` : ''}${messageOf(error)}` }];
  }
}

const marks = { well: styled('green', '✔'), doubtful: styled('yellow', '!'), ill: styled('red', '✖'), unseen: styled('dim', '–') } as const;

function line({ of, state, found, cure }: Finding): string {
  return `${marks[state]} ${of.padEnd(18)}${found}${cure === undefined ? '' : `\n  ${' '.repeat(18)}${styled('dim', '→')} ${cure}`}`;
}
