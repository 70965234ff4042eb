/** Pearson's test of counts against expected shares: an oracle for what is drawn by chance. */

/**
 * How far counts are from shares, in standard deviations of the chi-square distribution
 * (Wilson and Hilferty's cube-root normal approximation): above 4 is no chance.
 *
 * @param shares add up to 1; bins that expect fewer than 5 are joined with the next
 */
export function chiSquareDeviations(counts: readonly number[], shares: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let statistic = 0;
  let bins = 0;
  let [seen, expected] = [0, 0];
  for (const [at, count] of counts.entries()) {
    seen += count;
    expected += shares[at]! * total;
    if (expected < 5) continue;
    statistic += (seen - expected) ** 2 / expected;
    bins += 1;
    [seen, expected] = [0, 0];
  }
  const freedom = Math.max(1, bins - 1);
  const spread = 2 / (9 * freedom);
  return ((statistic / freedom) ** (1 / 3) - (1 - spread)) / Math.sqrt(spread);
}

/** Draws so often, and counts what comes. */
export function tally(draw: () => number, draws: number, bins: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (let at = 0; at < draws; at++) counts[draw()]! += 1;
  return counts;
}
