/**
 * fio's lesser sums, verify=crc7, crc16 and crc64: one table look-up a byte, some 300 MB/s.
 *
 * They are what a job file may ask for, not what is to be recommended: crc7 passes one damaged unit
 * in 128. Sources: fio crc/crc7.c (polynomial x^7 + x^3 + 1, not reflected), crc/crc16.c (0x8005
 * reflected: CRC-16/ARC), crc/crc64.c (0x95ac9329ac4bc9b5 reflected, from 0).
 */

/** Bytes of words [from, from + count), in memory order. */
function bytesOf(words: Int32Array, from: number, count: number): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset + from * 4, count * 4);
}

const TABLE_7 = Uint8Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x80) === 0 ? crc << 1 : (crc << 1) ^ (0x09 << 1);
  return (crc & 0xff) >> 1;
});

const TABLE_16 = Uint16Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xa001;
  return crc;
});

const TABLE_64 = BigUint64Array.from({ length: 256 }, (_, index) => {
  let crc = BigInt(index);
  for (let bit = 0; bit < 8; bit++) {
    crc = (crc & 1n) === 0n ? crc >> 1n : (crc >> 1n) ^ 0x95ac9329ac4bc9b5n;
  }
  return crc;
});
/** Its entries in halves: a BigInt for each byte would be slow. */
const LOW_64 = Int32Array.from(TABLE_64, (entry) => Number(BigInt.asIntN(32, entry)));
const HIGH_64 = Int32Array.from(TABLE_64, (entry) => Number(BigInt.asIntN(32, entry >> 32n)));

/** @returns 0 to 127 */
export function crc7(words: Int32Array, from: number, count: number): number {
  let crc = 0;
  for (const byte of bytesOf(words, from, count)) crc = TABLE_7[((crc << 1) ^ byte) & 0xff]!;
  return crc;
}

/** @returns 0 to 65,535 */
export function crc16(words: Int32Array, from: number, count: number): number {
  let crc = 0;
  for (const byte of bytesOf(words, from, count))
    crc = (crc >>> 8) ^ TABLE_16[(crc ^ byte) & 0xff]!;
  return crc;
}

/** Two words, the lower half first, into target from its index 0. */
export function crc64(words: Int32Array, from: number, count: number, target: Int32Array): void {
  let low = 0;
  let high = 0;
  for (const byte of bytesOf(words, from, count)) {
    const entry = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ LOW_64[entry]!;
    high = (high >>> 8) ^ HIGH_64[entry]!;
  }
  target[0] = low;
  target[1] = high;
}
