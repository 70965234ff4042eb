/**
 * XXH3-64 of one sector as a WebAssembly module of about 2 KiB.
 *
 * Imports  memory.sectors: shared memory, at least 1 page of 64 KiB
 * Exports  checksum(slot: i32) -> i32: low 32 bits of XXH3-64, seed 0, default secret, of the 4,096
 *          bytes at slot * 4096; read as unsigned by the caller
 * Memory   page 0 is the module's: bytes 0 to 191 hold the secret, written at instantiation.
 *          Sectors are in slots 16 and up.
 *
 * Source: xxHash, doc/xxhash_spec.md v0.2.0, "XXH3 Algorithm Description (for large inputs)". Of an
 * input of 4,096 bytes with a secret of 192: 3 blocks of 16 stripes, each followed by a scramble,
 * then 15 stripes, then the last stripe with the secret from 192 - 71.
 *
 * Two things are done otherwise than they are written there, with the same result:
 * 1. `acc[i xor 1] += stripe[i]` (2-1) adds inputs crosswise. Additions commute, so inputs are
 *    summed straight and the sum is crossed once, before the accumulators are next scrambled or
 *    merged: one shuffle for 15 or 16.
 * 2. `lowerHalf(value) * upperHalf(value)` of four lanes: SIMD128 multiplies words 0 and 1, or 2
 *    and 3, of two vectors, so lower and upper halves are gathered in a vector each.
 *
 * What was measured and left: unrolling stripes (no faster, by 16 slower), the secret as v128.const
 * (40 to 70 % slower: V8 builds each constant anew), 2 of the 8 lanes in general registers (5 to
 * 10 % faster, but everything is there twice), touching all cache lines first (no faster).
 *
 * **Thread:** any; pure.
 */
import { invariant } from './invariant.ts';
import { SECTOR_BYTES, SECTOR_SHIFT } from './units.ts';
import type { Code } from './wasm-emitter.ts';
import {
  I32,
  I64,
  i32,
  i32x4,
  i64,
  i64x2,
  Locals,
  local,
  loopWhile,
  V128,
  v128,
  writeModule,
} from './wasm-emitter.ts';

/** Memory the module keeps for itself, before the sectors: one WebAssembly page. */
export const XXH3_RESERVED_BYTES = 65_536;

const STRIPE_BYTES = 64;
const VECTORS_PER_STRIPE = 4;
/** The secret moves on by this much from stripe to stripe. */
const SECRET_STEP_BYTES = 8;

/** "Seed and Secret": defaultSecret. */
const SECRET = Uint8Array.from(
  `b8 fe 6c 39 23 a4 4b be 7c 01 81 2c f7 21 ad 1c de d4 6d e9 83 90 97 db 72 40 a4 a4 b7 b3 67 1f
   cb 79 e6 4e cc c0 e5 78 82 5a d0 7d cc ff 72 21 b8 08 46 74 f7 43 24 8e e0 35 90 e6 81 3a 26 4c
   3c 28 52 bb 91 c3 00 cb 88 d0 65 8b 1b 53 2e a3 71 64 48 97 a2 0d f9 4e 38 19 ef 46 a9 de ac d8
   a8 fa 76 3f e3 9c 34 3f f9 dc bb c7 c7 0b 4f 1d 8a 51 e0 4b cd b4 59 31 c8 9f 7e c9 d9 78 73 64
   ea c5 ac 83 34 d3 eb c3 c5 81 a0 ff fa 13 63 eb 17 0d dd 51 b7 f0 da 49 d3 16 55 26 29 d4 68 9e
   2b 16 be 58 7d 47 a1 fc 8f f8 b8 d1 7a d0 31 ce 45 cb 3a 8f 95 16 04 28 af d7 fb ca bb 4b 40 7e`
    .split(/\s+/)
    .map((digits) => Number.parseInt(digits, 16)),
);
const SECRET_BYTES = 192;
const SECRET_VIEW = new DataView(SECRET.buffer);

const STRIPES_PER_BLOCK = (SECRET_BYTES - STRIPE_BYTES) / SECRET_STEP_BYTES;
const BLOCKS = SECTOR_BYTES / (STRIPES_PER_BLOCK * STRIPE_BYTES);

invariant(SECRET.byteLength === SECRET_BYTES, 'the default secret is whole');
invariant(
  SECTOR_BYTES > 240 && Number.isInteger(BLOCKS),
  'a sector is a large input, whole blocks',
);
invariant(SECTOR_BYTES === 1 << SECTOR_SHIFT, 'slots are shifted to addresses');

/** "XXH3 Algorithm Overview": primes. */
const PRIME32_1 = 0x9e3779b1n;
const PRIME32_2 = 0x85ebca77n;
const PRIME32_3 = 0xc2b2ae3dn;
const PRIME64_1 = 0x9e3779b185ebca87n;
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME64_3 = 0x165667b19e3779f9n;
const PRIME64_4 = 0x85ebca77c2b2ae63n;
const PRIME64_5 = 0x27d4eb2f165667c5n;
const PRIME_MX1 = 0x165667919e3779f9n;

/** "Step 1. Initialize internal accumulators", two to a vector. */
const ACCUMULATORS_AT_START: readonly (readonly [bigint, bigint])[] = [
  [PRIME32_3, PRIME64_1],
  [PRIME64_2, PRIME64_3],
  [PRIME64_4, PRIME32_2],
  [PRIME64_5, PRIME32_1],
];

const SLOT = 0;
const locals = new Locals(1);
/** Address of the stripe. */
const stripe = locals.add(I32);
/** Offset in the secret, which is its address. */
const secret = locals.add(I32);
const blocksLeft = locals.add(I32);
/** acc[2i] and acc[2i + 1] of the specification, without the inputs that are still in `inputs`. */
const accumulators = vectorLocals();
/** Sums of inputs since the last crossing: (1) of the head. */
const inputs = vectorLocals();
const value = locals.add(V128);
const nextValue = locals.add(V128);
const lowerHalves = locals.add(V128);
const upperHalves = locals.add(V128);
const left = locals.add(I64);
const right = locals.add(I64);
const middle = locals.add(I64);
const result = locals.add(I64);

function vectorLocals(): readonly number[] {
  return Array.from({ length: VECTORS_PER_STRIPE }, () => locals.add(V128));
}

/** "Step 2-1", accumulate(stripe, secret), for vectors `first` and `first + 1`: four lanes. */
function accumulateFour(first: number): Code {
  const second = first + 1;
  const take = (index: number, into: number): Code => [
    local.set(into, v128.load(local.get(stripe), 16 * index)),
    local.set(inputs[index]!, i64x2.add(local.get(inputs[index]!), local.get(into))),
    local.set(into, v128.xor(local.get(into), v128.load(local.get(secret), 16 * index))),
  ];
  const gather = (into: number, words: readonly number[]): Code =>
    local.set(into, i32x4.shuffle(local.get(value), local.get(nextValue), words));
  const addProducts = (index: number, multiply: typeof i64x2.mul): Code => {
    const products = multiply(local.get(lowerHalves), local.get(upperHalves));
    return local.set(accumulators[index]!, i64x2.add(local.get(accumulators[index]!), products));
  };
  return [
    take(first, value),
    take(second, nextValue),
    gather(lowerHalves, [0, 2, 4, 6]),
    gather(upperHalves, [1, 3, 5, 7]),
    addProducts(first, i64x2.extmulLowI32x4U),
    addProducts(second, i64x2.extmulHighI32x4U),
  ];
}

function accumulate(): Code {
  return [accumulateFour(0), accumulateFour(2)];
}

/** "Step 2-1", round_accumulate: stripes from the start of the secret. */
function accumulateStripes(count: number): Code {
  const nextSecret = i32.add(local.get(secret), i32.const(SECRET_STEP_BYTES));
  return [
    local.set(secret, i32.const(0)),
    loopWhile(
      [accumulate(), local.set(stripe, i32.add(local.get(stripe), i32.const(STRIPE_BYTES)))],
      i32.notEqual(local.tee(secret, nextSecret), i32.const(count * SECRET_STEP_BYTES)),
    ),
  ];
}

/** (1) of the head: adds the inputs to each other's accumulators, and starts their sums again. */
function cross(): Code {
  return accumulators.map((accumulator, index) => {
    const input = local.get(inputs[index]!);
    const crossed = i32x4.shuffle(input, input, [2, 3, 0, 1]);
    return [
      local.set(accumulator, i64x2.add(local.get(accumulator), crossed)),
      local.set(inputs[index]!, v128.const(0n, 0n)),
    ];
  });
}

/** "Step 2-2. Scramble accumulators", with the last 64 bytes of the secret. */
function scramble(): Code {
  return accumulators.map((accumulator, index) => {
    const key = v128.load(i32.const(SECRET_BYTES - STRIPE_BYTES), 16 * index);
    const shifted = i64x2.shrU(local.get(accumulator), i32.const(47));
    const mixed = v128.xor(v128.xor(local.get(accumulator), shifted), key);
    return local.set(accumulator, i64x2.mul(mixed, v128.const(PRIME32_1, PRIME32_1)));
  });
}

/** "Step 3": the last stripe is the last 64 bytes, which the loop has arrived at. */
function accumulateLastStripe(): Code {
  return [local.set(secret, i32.const(SECRET_BYTES - 71)), accumulate()];
}

const lowerHalf = (operand: Code): Code => i64.and(operand, i64.const(0xffffffffn));
const upperHalf = (operand: Code): Code => i64.shrU(operand, i64.const(32n));

/**
 * lowerHalf xor higherHalf of the 128-bit product of `left` and `right`, from 32-bit halves:
 *   middle = Rl*Lh + (Rl*Ll >> 32)                    < 2^64
 *   high   = Rh*Lh + (middle >> 32) + ((Rh*Ll + lowerHalf(middle)) >> 32)
 */
function foldedProduct(): Code {
  const [leftLow, leftHigh] = [lowerHalf(local.get(left)), upperHalf(local.get(left))];
  const [rightLow, rightHigh] = [lowerHalf(local.get(right)), upperHalf(local.get(right))];
  const carried = i64.add(i64.mul(rightHigh, leftLow), lowerHalf(local.get(middle)));
  return [
    local.set(middle, i64.add(i64.mul(rightLow, leftHigh), upperHalf(i64.mul(rightLow, leftLow)))),
    i64.xor(
      i64.add(
        i64.add(i64.mul(rightHigh, leftHigh), upperHalf(local.get(middle))),
        upperHalf(carried),
      ),
      i64.mul(local.get(left), local.get(right)),
    ),
  ];
}

/** "Step 4. Finalization": finalMerge(length * PRIME64_1, 11) before its avalanche. */
function merge(): Code {
  const secretWord = (index: number): Code =>
    i64.const(SECRET_VIEW.getBigUint64(11 + 8 * index, true));
  return [
    local.set(result, i64.const(BigInt(SECTOR_BYTES) * PRIME64_1)),
    accumulators.map((accumulator, index) => {
      const word = (lane: number): Code =>
        i64.xor(i64x2.extractLane(local.get(accumulator), lane), secretWord(2 * index + lane));
      return [
        local.set(left, word(0)),
        local.set(right, word(1)),
        local.set(result, i64.add(foldedProduct(), local.get(result))),
      ];
    }),
  ];
}

/** "Final Mixing Step (avalanche)", and of its result the low 32 bits. */
function avalanche(): Code {
  const xorShifted = (bits: bigint): Code =>
    i64.xor(local.get(result), i64.shrU(local.get(result), i64.const(bits)));
  return [
    local.set(result, i64.mul(xorShifted(37n), i64.const(PRIME_MX1))),
    i32.wrapI64(xorShifted(32n)),
  ];
}

function checksumBody(): Code {
  return [
    local.set(stripe, i32.shl(local.get(SLOT), i32.const(SECTOR_SHIFT))),
    accumulators.map((accumulator, index) =>
      local.set(accumulator, v128.const(...ACCUMULATORS_AT_START[index]!)),
    ),
    local.set(blocksLeft, i32.const(BLOCKS - 1)),
    loopWhile(
      [accumulateStripes(STRIPES_PER_BLOCK), cross(), scramble()],
      local.tee(blocksLeft, i32.sub(local.get(blocksLeft), i32.const(1))),
    ),
    accumulateStripes(STRIPES_PER_BLOCK - 1),
    accumulateLastStripe(),
    cross(),
    merge(),
    avalanche(),
  ];
}

/** The module in binary format. Instantiate it with a memory of at most pagesMax pages. */
export function buildXxh3Module(pagesMax: number): Uint8Array<ArrayBuffer> {
  return writeModule({
    memoryImport: ['memory', 'sectors'],
    memoryPagesMin: XXH3_RESERVED_BYTES / 65_536,
    memoryPagesMax: pagesMax,
    exportName: 'checksum',
    parameters: [I32],
    results: [I32],
    locals,
    body: checksumBody(),
    dataOffsetBytes: 0,
    dataBytes: SECRET,
  });
}
