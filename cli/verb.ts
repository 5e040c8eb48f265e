import type { Command } from 'commander';
import { explained } from './known-models.ts';
import { atWorkplace } from './workplace.ts';
import type { Workplace } from './workplace.ts';

export interface VerbOptions {
  readonly json?: boolean;
}

/** Adds a command as all are: with examples in its help, and `--json`. */
export function verb(program: Command, usage: string, description: string, examples: readonly string[]): Command {
  return program
    .command(usage)
    .description(description)
    .option('--json', 'print the result as one JSON value, and nothing else, on standard output')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  perennial ${example}`).join('\n')}`);
}

/** Runs a command's work; a number that it returns is the exit code. */
export async function perform(options: VerbOptions, work: (at: Workplace) => Promise<number | void>): Promise<void> {
  const code = await atWorkplace(options, async (at) => {
    try {
      return await work(at);
    } catch (error) {
      throw await explained(at, error);
    }
  });
  if (typeof code === 'number') process.exitCode = code;
}
