/**
 * Where a volume has something and where it has holes, found by counting.
 *
 * From where a run begins the range is doubled until the count says that it holds both kinds; then
 * it is halved down to the edge. A run of n sectors takes about 2 log2 n counts.
 *
 * **Thread:** shard.
 */

/** How many sectors of a range are mapped. */
type CountMapped = (sector: number, sectorCount: number) => number;

/**
 * Lengths of runs from `first` on, by turns: mapped sectors (maybe none), a hole, mapped sectors …
 * Together they cover the range, or less if there are more than runsMax.
 */
export function findRuns(
  countMapped: CountMapped,
  first: number,
  sectorCount: number,
  runsMax: number,
): number[] {
  const runs: number[] = [];
  const end = first + sectorCount;
  let isMapped = true;
  for (let at = first; at < end && runs.length < runsMax; isMapped = !isMapped) {
    const length = runLength(countMapped, at, end - at, isMapped);
    runs.push(length);
    at += length;
  }
  return runs;
}

/** Sectors from `at` on that are all mapped, or all not. */
function runLength(
  countMapped: CountMapped,
  at: number,
  sectorCount: number,
  isMapped: boolean,
): number {
  const isOfKind = (sector: number, count: number): boolean =>
    countMapped(sector, count) === (isMapped ? count : 0);
  let known = 0;
  let step = 1;
  while (known < sectorCount) {
    step = Math.min(step, sectorCount - known);
    if (!isOfKind(at + known, step)) return known + edgeIn(isOfKind, at + known, step);
    known += step;
    step *= 2;
  }
  return known;
}

/** Where in a range that is not all of the kind the first sector is that is not. */
function edgeIn(
  isOfKind: (sector: number, count: number) => boolean,
  at: number,
  sectorCount: number,
): number {
  let known = 0;
  let rest = sectorCount;
  while (rest > 1) {
    const half = Math.floor(rest / 2);
    if (isOfKind(at + known, half)) {
      known += half;
      rest -= half;
    } else {
      rest = half;
    }
  }
  return known;
}
