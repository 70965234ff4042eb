/**
 * Logarithm, exponential, power and cosine from additions, multiplications and divisions alone.
 *
 * IEEE 754 says what those four give to the last bit; what Math.log() gives is the engine's affair
 * (ECMA-262, "Function Properties of the Math Object": implementation-approximated), and differs
 * between versions. So that one seed gives one result everywhere, nothing in this folder calls
 * Math.log, Math.exp, Math.pow, ** or Math.cos. Math.sqrt and Math.floor are exact by IEEE 754.
 *
 * Errors, against Math, are below 1e-14 of the value (ln near 1: 1e-15 absolute).
 */

const { LN2, PI } = Math;
/** Parts of [1, 2), each with the logarithm of its middle. */
const PART_BITS = 8;
const PARTS = 1 << PART_BITS;

/** The bits of a double: the high word has sign, exponent and 20 bits of the fraction. */
const bits = new Float64Array(1);
const words = new Uint32Array(bits.buffer);
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

const middleInverse = new Float64Array(PARTS);
const middleLogarithm = new Float64Array(PARTS);
for (let part = 0; part < PARTS; part++) {
  const middle = 1 + (part + 0.5) / PARTS;
  middleInverse[part] = 1 / middle;
  middleLogarithm[part] = seriesLogarithm(middle);
}

/** The natural logarithm of a positive normal number. */
export function ln(x: number): number {
  bits[0] = x;
  const high = words[HIGH]!;
  const exponent = (high >>> 20) - 1023;
  words[HIGH] = (high & 0xfffff) | 0x3ff00000;
  const part = (high >>> (20 - PART_BITS)) & (PARTS - 1);
  // Within 1/512 of the middle: the series loses its sixth term, below 1e-16.
  const r = bits[0]! * middleInverse[part]! - 1;
  const series = r * (1 - r * (1 / 2 - r * (1 / 3 - r * (1 / 4 - r * (1 / 5)))));
  return exponent * LN2 + (middleLogarithm[part]! + series);
}

/** e to the power of x, for |x| < 700. */
export function exp(x: number): number {
  const doublings = Math.floor(x / LN2 + 0.5);
  const r = x - doublings * LN2;
  let sum = 1;
  for (let term = 14; term >= 1; term--) sum = 1 + (r * sum) / term;
  bits[0] = sum;
  words[HIGH] = words[HIGH]! + doublings * 0x100000;
  return bits[0]!;
}

/** x to the power of y, for positive x. */
export function power(x: number, y: number): number {
  return exp(y * ln(x));
}

/** The cosine of so many whole turns. */
export function cosineOfTurns(turns: number): number {
  const part = turns - Math.floor(turns + 0.5);
  const angle = 2 * PI * part;
  const square = angle * angle;
  let sum = 1;
  for (let term = 15; term >= 1; term--) sum = 1 - (square * sum) / (2 * term * (2 * term - 1));
  return sum;
}

/**
 * Exponentially distributed with mean 1, from one draw.
 *
 * @param uint32 uniform in [0, 2^32); the largest result is 22.9
 */
export function exponentialOf(uint32: number): number {
  return 22.18070977791825 - ln(uint32 + 0.5);
}

/** ln of a number in [1, 2], by 2 artanh((x - 1) / (x + 1)). */
function seriesLogarithm(x: number): number {
  const z = (x - 1) / (x + 1);
  const square = z * z;
  let sum = 0;
  for (let term = 45; term >= 1; term -= 2) sum = 1 / term + square * sum;
  return 2 * z * sum;
}
