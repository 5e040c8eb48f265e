import { styleText } from 'node:util';

/** Results go to standard output, talk and progress to standard error: what is piped on is only the result. */
export interface Output {
  /** Whether the result is one JSON value. */
  readonly json: boolean;
  /** The command's one result. */
  result(value: unknown, text: () => string): void;
  say(line: string): void;
}

export function openOutput(json: boolean): Output {
  return {
    json,
    result: (value, text) => void process.stdout.write(`${json ? JSON.stringify(value, null, 2) : text()}\n`),
    say: (line) => void process.stderr.write(`${line}\n`),
  };
}

type Format = Parameters<typeof styleText>[0];

/** Colour where a terminal shows the results, and NO_COLOR does not forbid it. */
export const styled = (format: Format, text: string): string => styleText(format, text, { stream: process.stdout });

/** The same for what is said on standard error. */
export const styledTalk = (format: Format, text: string): string => styleText(format, text, { stream: process.stderr });
