/**
 * XXH3-64 (seed 0, default secret) of large inputs, written from the specification with nothing
 * but BigInt: about a millisecond for a sector.
 *
 * Source: xxHash, doc/xxhash_spec.md v0.2.0; headings are quoted at each part. The secret is spelt
 * here again, so that a slip of the pen in src/ is found.
 */

const MASK64 = (1n << 64n) - 1n;
const MASK32 = (1n << 32n) - 1n;

// "XXH3 Algorithm Overview"
const PRIME32_1 = 0x9e3779b1n;
const PRIME32_2 = 0x85ebca77n;
const PRIME32_3 = 0xc2b2ae3dn;
const PRIME64_1 = 0x9e3779b185ebca87n;
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME64_3 = 0x165667b19e3779f9n;
const PRIME64_4 = 0x85ebca77c2b2ae63n;
const PRIME64_5 = 0x27d4eb2f165667c5n;
const PRIME_MX1 = 0x165667919e3779f9n;

// "Seed and Secret"
const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f' +
    'cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c' +
    '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8' +
    'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364' +
    'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e' +
    '2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
);

const STRIPES_PER_BLOCK = (SECRET.length - 64) / 8;
const BLOCK_BYTES = 64 * STRIPES_PER_BLOCK;

function wordsAt(bytes: Uint8Array, offset: number): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: 8 }, (_, index) => view.getBigUint64(offset + 8 * index, true));
}

// "Step 2-1. Process stripes in the block"
function accumulate(acc: bigint[], stripe: bigint[], secretOffset: number): void {
  const secretWords = wordsAt(SECRET, secretOffset);
  for (let i = 0; i < 8; i++) {
    const value = stripe[i]! ^ secretWords[i]!;
    acc[i ^ 1] = (acc[i ^ 1]! + stripe[i]!) & MASK64;
    acc[i] = (acc[i]! + (value & MASK32) * (value >> 32n)) & MASK64;
  }
}

// "Step 2-2. Scramble accumulators"
function scramble(acc: bigint[]): void {
  const secretWords = wordsAt(SECRET, SECRET.length - 64);
  for (let i = 0; i < 8; i++) {
    acc[i] = ((acc[i]! ^ (acc[i]! >> 47n) ^ secretWords[i]!) * PRIME32_1) & MASK64;
  }
}

// "Step 4. Finalization"
function finalMerge(acc: bigint[], initValue: bigint, secretOffset: number): bigint {
  const secretWords = wordsAt(SECRET, secretOffset);
  let result = initValue;
  for (let i = 0; i < 4; i++) {
    const product =
      (acc[2 * i]! ^ secretWords[2 * i]!) * (acc[2 * i + 1]! ^ secretWords[2 * i + 1]!);
    result = (result + ((product & MASK64) ^ (product >> 64n))) & MASK64;
  }
  return avalanche(result);
}

// "Final Mixing Step (avalanche)"
function avalanche(x: bigint): bigint {
  const mixed = ((x ^ (x >> 37n)) * PRIME_MX1) & MASK64;
  return mixed ^ (mixed >> 32n);
}

/** @param input more than 240 bytes */
export function xxh3Reference(input: Uint8Array): bigint {
  if (input.byteLength <= 240) throw new RangeError('only the algorithm for large inputs is here');
  const acc = [
    ...[PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3],
    ...[PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1],
  ];
  let offset = 0;
  // "Step 2": until a block or less is left.
  for (; input.byteLength - offset > BLOCK_BYTES; offset += BLOCK_BYTES) {
    for (let n = 0; n < STRIPES_PER_BLOCK; n++) {
      accumulate(acc, wordsAt(input, offset + 64 * n), 8 * n);
    }
    scramble(acc);
  }
  // "Step 3. Process the last block and the last 64 bytes"
  const fullStripes = Math.floor((input.byteLength - offset - 1) / 64);
  for (let n = 0; n < fullStripes; n++) accumulate(acc, wordsAt(input, offset + 64 * n), 8 * n);
  accumulate(acc, wordsAt(input, input.byteLength - 64), SECRET.length - 71);
  return finalMerge(acc, (BigInt(input.byteLength) * PRIME64_1) & MASK64, 11);
}
