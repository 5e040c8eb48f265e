import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Json } from '../core/artifact.ts';
import { canonical } from '../core/canonical.ts';
import { MlError } from '../core/errors.ts';
import { compiled } from './compiled.ts';
import type { RecordedCall } from './recorded-calls.ts';

/** A recorded value that the type of today does not take: whoever reads it would find something missing, or something else. */
export interface BrokenType {
  readonly kind: RecordedCall['kind'];
  readonly name: string;
  readonly side: 'input' | 'output';
  /** The compiler's words. */
  readonly reason: string;
  /** The call that was recorded. */
  readonly workflowId: string;
  readonly runId: string;
  readonly event: number;
}

/** Where the types of today are declared. */
export interface DeclaredTypes {
  /** Module of each workflow, by its name. */
  readonly workflows: ReadonlyMap<string, string>;
  /** Folder that TypeScript is found from. */
  readonly project: string;
}

type Origin = Pick<BrokenType, 'workflowId' | 'runId'>;
interface Claim extends Omit<BrokenType, 'reason'> {
  readonly value: Json;
}

/** So many different values of one type are compared; runs of one model differ little. */
const mostOfOneType = 40;

/** Collects what recorded runs passed to and got from steps and workflows, and lets the compiler say whether today's types take it. */
export class RecordedTypes {
  readonly #claims = new Map<string, Map<string, Claim>>();

  add(calls: readonly RecordedCall[], { workflowId, runId }: Origin): void {
    for (const { kind, name, event, input, output } of calls) {
      const claim = { kind, name, event, workflowId, runId };
      if (input !== undefined) this.#claim({ ...claim, side: 'input', value: input });
      if (output !== undefined) this.#claim({ ...claim, side: 'output', value: output });
    }
  }

  #claim(claim: Claim): void {
    const type = `${claim.kind} ${claim.name} ${claim.side}`;
    let claims = this.#claims.get(type);
    if (claims === undefined) this.#claims.set(type, (claims = new Map()));
    // Which artifact and which number it was decides no type.
    const shape = canonical(claim.value)
      .replaceAll(/"[0-9a-f]{64}"/g, '""')
      .replaceAll(/-?\d+(\.\d+)?(e[+-]?\d+)?/g, '0');
    if (claims.size < mostOfOneType && !claims.has(shape)) claims.set(shape, claim);
  }

  /** `undefined` where there is no TypeScript to ask. `folder` takes the program that is compiled. */
  async check(declared: DeclaredTypes, folder: string): Promise<{ readonly compared: number; readonly broken: readonly BrokenType[] } | undefined> {
    const compiler = findCompiler(declared.project);
    if (compiler === undefined) return undefined;
    const claims = [...this.#claims.values()]
      .flatMap((each) => [...each.values()])
      .filter(({ kind, name }) => kind === 'step' || declared.workflows.has(name));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
    await writeFile(join(folder, 'recorded.ts'), program(claims, declared));
    const errors = await compile(compiler, folder);
    const broken = claims.flatMap(({ value: _, ...claim }, at) => {
      const reason = errors.get(headerLines + at + 1);
      return reason === undefined ? [] : [{ ...claim, reason }];
    });
    return { compared: claims.length, broken };
  }
}

const tsconfig = {
  compilerOptions: {
    noEmit: true,
    strict: true,
    target: 'es2023',
    module: 'nodenext',
    moduleResolution: 'nodenext',
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: [],
  },
  files: ['recorded.ts'],
};

const headerLines = 6;

/** A value on each line. What is only more than the type wants is no harm, so the value is no fresh literal where it is assigned. */
function program(claims: readonly Claim[], { workflows }: DeclaredTypes): string {
  const typeOf = ({ kind, name }: Claim): string => {
    const quoted = JSON.stringify(name);
    return kind === 'step' ? `Step<${quoted}>` : `(typeof import(${JSON.stringify(workflows.get(name)!)}))[${quoted}]`;
  };
  return [
    `import type { Steps } from ${JSON.stringify(compiled('activities/index'))};`,
    // Trainers and tasks add their own types by declaration merging.
    `import type {} from ${JSON.stringify(compiled('index'))};`,
    'type Call = (input: never) => Promise<unknown>;',
    // A step that is gone is replay's to notice: its values have no type to be compared with.
    'type Step<N extends string> = N extends keyof Steps ? Steps[N] : (input: any) => Promise<any>;',
    'type Input<C extends Call> = Parameters<C> extends [] ? unknown : Parameters<C>[0];',
    'type Output<C extends Call> = Awaited<ReturnType<C>>;',
    ...claims.map((claim, at) => {
      const type = `${claim.side === 'input' ? 'Input' : 'Output'}<${typeOf(claim)}>`;
      return `const v${at} = ${JSON.stringify(claim.value)} as const; export const c${at}: ${type} = v${at};`;
    }),
    '',
  ].join('\n');
}

function findCompiler(project: string): string | undefined {
  for (const from of [join(project, 'package.json'), import.meta.url]) {
    try {
      return join(dirname(createRequire(from).resolve('typescript/package.json')), 'bin', 'tsc');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return undefined;
}

/** The last, most exact line of what the compiler says of each line of the program. @throws {MlError} `Bug` if it says something else. */
async function compile(compiler: string, folder: string): Promise<ReadonlyMap<number, string>> {
  const output = await new Promise<string>((resolve) => {
    const options = { cwd: folder, maxBuffer: 64 * 2 ** 20 };
    execFile(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], options, (error, stdout, stderr) =>
      resolve(error === null ? '' : stdout + stderr),
    );
  });
  const errors = new Map<number, string>();
  let line = 0;
  for (const text of output.split('\n').filter((each) => each.trim() !== '')) {
    const [, at, message] = /^recorded\.ts\((\d+),\d+\): error TS\d+: (.*)$/.exec(text) ?? [];
    if (at !== undefined) line = Number(at);
    if (line <= headerLines) throw new MlError('Bug', `recorded types cannot be compared: ${text}`, { folder });
    errors.set(line, (message ?? text).trim());
  }
  return errors;
}
