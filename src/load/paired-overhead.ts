/**
 * What encryption costs, from paired turns: one figure, its interval, what could have been seen.
 *
 * Method. A turn of the encrypted disk and the plain turn beside it make a pair; its value is
 * ln(encrypted rate / plain rate), so that a slower machine in one pair cancels out and twice and
 * half are equally far from equal. The order inside pairs flips (comparison-run.ts), so that a
 * steady drift cancels over two pairs. The first pair is warm-up and does not count. The figure is
 * the mean of the n others; its interval is Student's t with n-1 degrees of freedom at 95 %. The
 * smallest effect the run could have seen is the one that such a test finds in 80 of 100 runs:
 * (t(0.975) + t(0.8)) standard errors. All are turned back from logarithms into percent of the
 * plain rate that is lost; negative: encrypted was faster.
 *
 * Several workloads count alike: the mean of their means, with the errors added in squares and the
 * degrees of freedom of Welch and Satterthwaite.
 *
 * What must hold for the interval to: pairs are independent of each other. Turns longer than what
 * disturbs the machine, or a run of a few pairs only, make it too narrow.
 */

export interface Overhead {
  /** Percent of the plain rate that encryption costs. */
  readonly percent: number;
  /** 95 % interval of percent. */
  readonly low: number;
  readonly high: number;
  /** Percent: the smallest effect that would have been found in 80 of 100 such runs. */
  readonly smallest: number;
  /** Pairs counted. */
  readonly pairs: number;
}

/** Fewer pairs than this, the warm-up among them, give no interval worth printing. */
const PAIRS_MIN = 5;
const CONFIDENCE = 0.975;
const POWER = 0.8;

/** A mean of logarithms of ratios. */
interface Estimate {
  readonly mean: number;
  readonly squaredError: number;
  readonly freedom: number;
  readonly pairs: number;
}

/**
 * @param encrypted rate of each turn of one workload, in the order made
 * @param plain the same, turn for turn
 * @returns null if there are too few pairs
 */
export function overheadOf(
  encrypted: readonly number[],
  plain: readonly number[],
): Overhead | null {
  const estimate = estimateOf(encrypted, plain);
  return estimate === null ? null : describe(estimate);
}

/** One figure for several workloads. @returns null if one of them has too few pairs */
export function overheadOfAll(
  workloads: readonly { encrypted: readonly number[]; plain: readonly number[] }[],
): Overhead | null {
  const estimates = workloads.map(({ encrypted, plain }) => estimateOf(encrypted, plain));
  const known = estimates.filter((each) => each !== null);
  if (known.length === 0 || known.length < estimates.length) return null;
  const count = known.length;
  const sum = known.reduce((total, { squaredError }) => total + squaredError, 0);
  const parts = known.reduce((total, each) => total + each.squaredError ** 2 / each.freedom, 0);
  return describe({
    mean: known.reduce((total, { mean }) => total + mean, 0) / count,
    squaredError: sum / count ** 2,
    freedom: parts === 0 ? known[0]!.freedom : sum ** 2 / parts,
    pairs: known.reduce((total, { pairs }) => total + pairs, 0),
  });
}

function estimateOf(encrypted: readonly number[], plain: readonly number[]): Estimate | null {
  const ratios: number[] = [];
  for (let turn = 1; turn < Math.min(encrypted.length, plain.length); turn++) {
    const ratio = encrypted[turn]! / plain[turn]!;
    if (ratio > 0 && Number.isFinite(ratio)) ratios.push(Math.log(ratio));
  }
  const pairs = ratios.length;
  if (pairs < PAIRS_MIN - 1) return null;
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / pairs;
  const variance = ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0) / (pairs - 1);
  return { mean, squaredError: variance / pairs, freedom: pairs - 1, pairs };
}

function describe({ mean, squaredError, freedom, pairs }: Estimate): Overhead {
  const error = Math.sqrt(squaredError);
  const reach = studentQuantile(CONFIDENCE, freedom);
  const lost = (logarithm: number): number => (1 - Math.exp(logarithm)) * 100;
  return {
    percent: lost(mean),
    low: lost(mean + reach * error),
    high: lost(mean - reach * error),
    smallest: lost(-(reach + studentQuantile(POWER, freedom)) * error),
    pairs,
  };
}

/** The value that Student's t stays below with this probability, 0.5 to 1. */
export function studentQuantile(probability: number, freedom: number): number {
  let [low, high] = [0, 1e4];
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2;
    if (studentBelow(middle, freedom) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The probability that Student's t is below value, for value >= 0. */
function studentBelow(value: number, freedom: number): number {
  return 1 - incompleteBeta(freedom / (freedom + value * value), freedom / 2, 0.5) / 2;
}

/** The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(
    a * Math.log(x) + b * Math.log(1 - x) + logGamma(a + b) - logGamma(a) - logGamma(b),
  );
  let fraction = 1;
  for (let term = 200; term >= 1; term--) {
    const half = Math.floor(term / 2);
    const step =
      term % 2 === 0
        ? (half * (b - half) * x) / ((a + 2 * half - 1) * (a + 2 * half))
        : (-(a + half) * (a + b + half) * x) / ((a + 2 * half) * (a + 2 * half + 1));
    fraction = 1 + step / fraction;
  }
  return front / (a * fraction);
}

/** The logarithm of the gamma function, by Stirling's series from 10 on. */
function logGamma(z: number): number {
  let shift = 0;
  let large = z;
  while (large < 10) {
    shift += Math.log(large);
    large += 1;
  }
  const inverse = 1 / (large * large);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / large;
  return (large - 0.5) * Math.log(large) - large + Math.log(2 * Math.PI) / 2 + series - shift;
}
