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

/** Recorded values that were held against no type. */
export interface Uncompared {
  readonly kind: RecordedCall['kind'];
  readonly name: string;
  readonly side: BrokenType['side'];
  readonly values: number;
  readonly reason: string;
}

export interface ComparedTypes {
  /** How many values were. */
  readonly compared: number;
  readonly broken: readonly BrokenType[];
  readonly uncompared: readonly Uncompared[];
}

/** Where the types of today are declared. */
export interface DeclaredTypes {
  /** Module of each workflow, by its name. */
  readonly workflows: ReadonlyMap<string, string>;
  /** Module of each step of the project's own, by its name. */
  readonly steps: ReadonlyMap<string, string>;
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
  readonly #uncompared = new Map<string, Uncompared>();

  add(calls: readonly RecordedCall[], { workflowId, runId }: Origin): void {
    for (const { kind, name, event, input, output, light } of calls) {
      if (light) this.#leaveOut({ kind, name, side: 'input' }, 'no history has the input of a light step');
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
    if (claims.has(shape)) return;
    if (claims.size < mostOfOneType) claims.set(shape, claim);
    else this.#leaveOut(claim, `${mostOfOneType} others of the same type were compared`);
  }

  #leaveOut({ kind, name, side }: Pick<Uncompared, 'kind' | 'name' | 'side'>, reason: string): void {
    const key = `${kind} ${name} ${side} ${reason}`;
    this.#uncompared.set(key, { kind, name, side, values: (this.#uncompared.get(key)?.values ?? 0) + 1, reason });
  }

  /** `undefined` where there is no TypeScript to ask. `folder` takes the program that is compiled. */
  async check(declared: DeclaredTypes, folder: string): Promise<ComparedTypes | undefined> {
    const compiler = findCompiler(declared.project);
    if (compiler === undefined) return undefined;
    const byType = [...this.#claims.values()].map((each) => [...each.values()]);
    const isDeclared = ({ kind, name }: Claim): boolean => kind === 'step' || declared.workflows.has(name);
    const claims = byType.flat().filter(isDeclared);
    const gone = byType.filter(([first]) => !isDeclared(first!));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(tsconfigFor(declared.project)));
    await writeFile(join(folder, 'recorded.ts'), program(claims, declared));
    const errors = await compile(compiler, folder);
    const reasonOf = (claim: Claim): string | undefined => errors.get(headerLines + claims.indexOf(claim) + 1);
    const steps = byType.filter(([first]) => isDeclared(first!));
    for (const each of steps) if (reasonOf(each[0]!)?.includes(goneType)) gone.push(each);
    const uncompared = gone.map((each) => {
      const { kind, name, side } = each[0]!;
      return { kind, name, side, values: each.length, reason: `there is no ${kind} of this name today` };
    });
    const compared = claims.filter((claim) => !gone.some((each) => each.includes(claim)));
    const broken = compared.flatMap((claim) => {
      const { value: _, ...told } = claim;
      const reason = reasonOf(claim);
      return reason === undefined ? [] : [{ ...told, reason }];
    });
    return { compared: compared.length, broken, uncompared: [...this.#uncompared.values(), ...uncompared] };
  }
}

const tsconfigFor = (project: string) => ({
  compilerOptions: {
    noEmit: true,
    strict: true,
    target: 'es2023',
    module: 'nodenext',
    moduleResolution: 'nodenext',
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    // What a project's own steps are written with.
    typeRoots: [join(project, 'node_modules', '@types')],
  },
  files: ['recorded.ts'],
});

const headerLines = 7;
/** A type that takes no value: whose values are held against it have no type of today. Only the compiler knows which steps there are. */
const goneType = 'StepThatIsGone';

/** A value on each line. What is only more than the type wants is no harm, so the value is no fresh literal where it is assigned. */
function program(claims: readonly Claim[], { workflows, steps }: DeclaredTypes): string {
  const typeOf = ({ kind, name }: Claim): string => {
    const quoted = JSON.stringify(name);
    const module = (kind === 'step' ? steps : workflows).get(name);
    return module === undefined ? `Step<${quoted}>` : `(typeof import(${JSON.stringify(module)}))[${quoted}]`;
  };
  return [
    `import type { Steps } from ${JSON.stringify(compiled('activities/index'))};`,
    // Trainers and tasks add their own types by declaration merging.
    `import type {} from ${JSON.stringify(compiled('index'))};`,
    'type Call = (...given: never) => unknown;',
    `interface ${goneType} { readonly [gone]: true } declare const gone: unique symbol;`,
    `type Step<N extends string> = N extends keyof Steps ? Steps[N] : (input: ${goneType}) => Promise<${goneType}>;`,
    'type Input<C extends Call> = Parameters<C> extends [] ? unknown : Parameters<C>[0];',
    'type Output<C extends Call> = Awaited<ReturnType<C>>;',
    ...claims.map((claim, at) => {
      const type = `${claim.side === 'input' ? 'Input' : 'Output'}<${typeOf(claim)}>`;
      return `const v${at} = ${JSON.stringify(claim.value)}${claim.value === null ? '' : ' as const'}; export const c${at}: ${type} = v${at};`;
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

/**
 * The last, most exact line of what the compiler says of each line of the program. What it says of the project's own files is not ours to tell.
 * @throws {MlError} `Bug` if it cannot compile the program.
 */
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
    const [, file, at, message] = /^(\S.*)\((\d+),\d+\): error TS\d+: (.*)$/.exec(text) ?? [];
    if (at !== undefined) line = file === 'recorded.ts' ? Number(at) : Infinity;
    if (line === Infinity) continue;
    if (line <= headerLines) throw new MlError('Bug', `recorded types cannot be compared: ${text}`, { folder });
    errors.set(line, (message ?? text).trim());
  }
  return errors;
}
