/**
 * Writes a WebAssembly module: as much of the format as xxh3-module.ts needs.
 *
 * An instruction is written with its operands as arguments, as in folded text format:
 * `i32.add(local.get(0), i32.const(1))` is the code of `(i32.add (local.get 0) (i32.const 1))`.
 *
 * Source: WebAssembly Core Specification 2.0, 5 "Binary Format". Shared memory: threads proposal.
 *
 * **Thread:** any; pure.
 */

/** Bytes in order, nested as they were put together: operands before their operator. */
export type Code = number | readonly Code[];

/** Value types (5.3.1 to 5.3.4). */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;
export type ValueType = typeof I32 | typeof I64 | typeof V128;

/** Unsigned LEB128 (5.2.2). */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}

/** Signed LEB128 (5.2.2). */
function signed(value: bigint): Code {
  const bytes: number[] = [];
  let rest = value;
  for (; rest < -0x40n || rest > 0x3fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest & 0x7fn));
  return bytes;
}

function littleEndian64(value: bigint): Code {
  return Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

/** Vector instructions have a prefix (5.4.8). */
function vector(opcode: number): Code {
  return [0xfd, unsigned(opcode)];
}

type Unary = (operand: Code) => Code;
type Binary = (left: Code, right: Code) => Code;

function unary(opcode: Code): Unary {
  return (operand) => [operand, opcode];
}

function binary(opcode: Code): Binary {
  return (left, right) => [left, right, opcode];
}

/** Alignment is a hint; 2^0 says nothing is promised. */
const UNALIGNED = 0;

export const local = {
  get: (index: number): Code => [0x20, unsigned(index)],
  set: (index: number, value: Code): Code => [value, 0x21, unsigned(index)],
  /** set, and leaves the value on the stack. */
  tee: (index: number, value: Code): Code => [value, 0x22, unsigned(index)],
};

export const i32 = {
  const: (value: number): Code => [0x41, signed(BigInt(value))],
  add: binary(0x6a),
  sub: binary(0x6b),
  shl: binary(0x74),
  notEqual: binary(0x47),
  wrapI64: unary(0xa7),
};

export const i64 = {
  const: (value: bigint): Code => [0x42, signed(BigInt.asIntN(64, value))],
  add: binary(0x7c),
  mul: binary(0x7e),
  and: binary(0x83),
  xor: binary(0x85),
  shrU: binary(0x88),
};

export const v128 = {
  const: (low: bigint, high: bigint): Code => [
    vector(0x0c),
    littleEndian64(low),
    littleEndian64(high),
  ],
  load: (address: Code, offsetBytes: number): Code => [
    address,
    vector(0x00),
    UNALIGNED,
    unsigned(offsetBytes),
  ],
  xor: binary(vector(0x51)),
};

export const i32x4 = {
  /** i8x16.shuffle by words: lanes 0 to 3 are left's, 4 to 7 right's. */
  shuffle: (left: Code, right: Code, lanes: readonly number[]): Code => [
    left,
    right,
    vector(0x0d),
    lanes.map((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]),
  ],
};

export const i64x2 = {
  add: binary(vector(0xce)),
  mul: binary(vector(0xd5)),
  /** Shifts both lanes by an i32. */
  shrU: binary(vector(0xcd)),
  /** 64-bit products of words 0 and 1. */
  extmulLowI32x4U: binary(vector(0xde)),
  /** 64-bit products of words 2 and 3. */
  extmulHighI32x4U: binary(vector(0xdf)),
  extractLane: (operand: Code, lane: number): Code => [operand, vector(0x1d), lane],
};

/** Runs its body once, and again each time `condition` is not zero at its end. */
export function loopWhile(body: Code, condition: Code): Code {
  return [0x03, 0x40, body, condition, 0x0d, 0x00, 0x0b];
}

/** The locals of one function: parameters first, then what add() gives out. */
export class Locals {
  readonly #parameterCount: number;
  readonly #types: ValueType[] = [];

  constructor(parameterCount: number) {
    this.#parameterCount = parameterCount;
  }

  /** @returns the index of a new local, zero at the start */
  add(type: ValueType): number {
    return this.#parameterCount + this.#types.push(type) - 1;
  }

  /** Declarations (5.4.9): one run of one local each. */
  declarations(): Code {
    return list(this.#types.map((type) => [1, type]));
  }
}

/** A module of one function over one imported shared memory, with bytes it puts there at start. */
export interface ModuleParts {
  readonly memoryImport: readonly [module: string, name: string];
  readonly memoryPagesMin: number;
  readonly memoryPagesMax: number;
  readonly exportName: string;
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly locals: Locals;
  readonly body: Code;
  readonly dataOffsetBytes: number;
  readonly dataBytes: Uint8Array;
}

/** The module in binary format (5.5). */
export function writeModule(parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const [importModule, importName] = parts.memoryImport;
  const limits = [SHARED, unsigned(parts.memoryPagesMin), unsigned(parts.memoryPagesMax)];
  const dataSegment = [i32.const(parts.dataOffsetBytes), END, list([...parts.dataBytes])];
  const module: Code = [
    [0x00, 0x61, 0x73, 0x6d],
    [0x01, 0x00, 0x00, 0x00],
    section(1, list([[0x60, list(parts.parameters), list(parts.results)]])),
    section(2, list([[name(importModule), name(importName), 0x02, limits]])),
    section(3, list([0])),
    section(7, list([[name(parts.exportName), 0x00, 0]])),
    section(10, list([sized([parts.locals.declarations(), parts.body, END])])),
    section(11, list([[0x00, dataSegment]])),
  ];
  return Uint8Array.from(flat(module));
}

const END = 0x0b;
/** Memory limits with a maximum, shared between threads. */
const SHARED = 0x03;

function flat(code: Code, bytes: number[] = []): number[] {
  if (typeof code === 'number') bytes.push(code);
  else for (const part of code) flat(part, bytes);
  return bytes;
}

/** A vector of the format (5.1.3): how many, then each. */
function list(items: readonly Code[]): Code {
  return [unsigned(items.length), items];
}

function sized(content: Code): Code {
  const bytes = flat(content);
  return [unsigned(bytes.length), bytes];
}

function name(text: string): Code {
  return sized([...new TextEncoder().encode(text)]);
}

function section(id: number, content: Code): Code {
  return [id, sized(content)];
}
