/**
 * An assembler of WebAssembly, as small as the kernels here need. Code is a list of bytes and an instruction takes the code of its operands, so that
 * a program reads as an expression. Assembling at run time lets a kernel hold the shape of a table as constants, and needs no toolchain.
 *
 * Opcodes: https://webassembly.github.io/spec/core/binary/instructions.html
 */
export type Code = readonly number[];

/** The part of WebAssembly's own interface that is used here: the compiler declares it for browsers only. */
interface Wasm {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule, imports: { readonly env: { readonly memory: WasmMemory } }) => { readonly exports: object };
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number; readonly shared: true }) => WasmMemory;
}
/** Compiled code, which threads can be given. */
export interface WasmModule {
  readonly brand?: 'module';
}
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer;
}
export const { Module, Instance, Memory } = (globalThis as unknown as { readonly WebAssembly: Wasm }).WebAssembly;

const types = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = keyof typeof types;

/** A parameter or local variable of a function. */
export interface Variable {
  readonly get: Code;
  set(value: Code): Code;
  /** Sets the variable and leaves the value as the result. */
  tee(value: Code): Code;
}

export interface Func {
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly locals: readonly ValueType[];
  readonly result?: ValueType;
  readonly body: Code;
}

/** A function with variables of these types; the first `parameters` of them are passed in. What `body` leaves is the result. */
export function func(
  name: string,
  shape: { readonly parameters: readonly ValueType[]; readonly locals?: readonly ValueType[]; readonly result?: ValueType },
  body: (...variables: Variable[]) => readonly Code[],
): Func {
  const { parameters, locals = [] } = shape;
  const variables = [...parameters, ...locals].map((_, index): Variable => {
    const at = unsigned(index);
    return { get: [0x20, ...at], set: (value) => [...value, 0x21, ...at], tee: (value) => [...value, 0x22, ...at] };
  });
  return { name, parameters, locals, body: body(...variables).flat(), ...(shape.result && { result: shape.result }) };
}

const binary =
  (...opcode: number[]) =>
  (a: Code, b: Code): Code => [...a, ...b, ...opcode];

const load =
  (...opcode: number[]) =>
  (address: Code, offset = 0): Code => [...address, ...opcode, 0, ...unsigned(offset)];

const store =
  (...opcode: number[]) =>
  (address: Code, value: Code, offset = 0): Code => [...address, ...value, ...opcode, 0, ...unsigned(offset)];

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  load: load(0x28),
  load8: load(0x2d),
  store: store(0x36),
  store8: store(0x3a),
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  and: binary(0x71),
  shl: binary(0x74),
  below: binary(0x49),
  /** With their signs. */
  atLeast: binary(0x4e),
};

export const f32 = {
  load: load(0x2a),
  multiply: binary(0x94),
  /** NaN where either is. */
  max: binary(0x97),
  above: binary(0x5e),
  unequal: binary(0x5c),
  /** The nearest 32-bit integer; a trap where there is none. */
  round: (value: Code): Code => [...value, 0x90, 0xa8],
};

export const i64 = {
  const: (value: bigint): Code => [0x42, ...signed(value)],
  load: load(0x29),
  and: binary(0x83),
  shiftRight: binary(0x88),
  /** The lower half. */
  low: (value: Code): Code => [...value, 0xa7],
};

export const f64 = { load: load(0x2b), store: store(0x39), add: binary(0xa0), of: (whole: Code): Code => [...whole, 0xb9] };

/** Two 64-bit integers side by side. */
export const i64x2 = {
  load: load(0xfd, 0x00),
  store: store(0xfd, 0x0b),
  /** Loads two 32-bit integers with their signs. */
  load32: load(0xfd, 0x05),
  add: binary(0xfd, 0xce, 0x01),
  sub: binary(0xfd, 0xd1, 0x01),
  const: (low: bigint, high: bigint): Code => {
    const bytes = new DataView(new ArrayBuffer(16));
    bytes.setBigInt64(0, low, true);
    bytes.setBigInt64(8, high, true);
    return [0xfd, 0x0c, ...new Uint8Array(bytes.buffer)];
  },
};

/** Four float32 numbers side by side. */
export const f32x4 = {
  load: load(0xfd, 0x00),
  abs: (value: Code): Code => [...value, 0xfd, 0xe0, 0x01],
  /** NaN where either is. */
  max: binary(0xfd, 0xe9, 0x01),
  lane: (value: Code, lane: number): Code => [...value, 0xfd, 0x1f, lane],
};

/** `yes` where the condition is not zero, else `no`; both are computed. */
export const select = (condition: Code, yes: Code, no: Code): Code => [...yes, ...no, ...condition, 0x1b];

export const when = (condition: Code, ...body: readonly Code[]): Code => [...condition, 0x04, 0x40, ...body.flat(), 0x0b];

/** Runs `body` while `condition` holds after it: once at least. */
export const repeat = (body: readonly Code[], condition: Code): Code => [0x03, 0x40, ...body.flat(), ...condition, 0x0d, 0x00, 0x0b];

export const copyBytes = (to: Code, from: Code, count: Code): Code => [...to, ...from, ...count, 0xfc, 0x0a, 0x00, 0x00];

export const fillBytes = (to: Code, value: Code, count: Code): Code => [...to, ...value, ...count, 0xfc, 0x0b, 0x00];

/** The bytes of a module that works on the shared memory `env.memory` of so many pages of 64 KiB, and exports its functions. */
export function assemble(functions: readonly Func[], pages: number): Uint8Array<ArrayBuffer> {
  const signature = ({ parameters, result }: Func): Code => [
    0x60,
    ...vector(parameters.map((type) => [types[type]])),
    ...vector(result ? [[types[result]]] : []),
  ];
  const code = ({ locals, body }: Func): Code => {
    const bytes = [...vector(locals.map((type) => [1, types[type]])), ...body, 0x0b];
    return [...unsigned(bytes.length), ...bytes];
  };
  const memory = [...text('env'), ...text('memory'), 0x02, 0x03, ...unsigned(pages), ...unsigned(pages)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, functions.map(signature)),
    ...section(2, [memory]),
    ...section(
      3,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(
      7,
      functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]),
    ),
    ...section(10, functions.map(code)),
  ]);
}

function section(id: number, entries: readonly Code[]): Code {
  const bytes = vector(entries);
  return [id, ...unsigned(bytes.length), ...bytes];
}

const vector = (entries: readonly Code[]): Code => [...unsigned(entries.length), ...entries.flat()];

const text = (value: string): Code => vector([...Buffer.from(value, 'utf8')].map((byte) => [byte]));

/** LEB128, seven bits a byte, the lowest first. */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return [...bytes, value];
}

function signed(value: number | bigint): Code {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest < -64n || rest > 63n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest & 0x7fn)];
}
