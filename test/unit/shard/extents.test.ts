import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findRuns } from '../../../src/shard/extents.ts';

/** Runs by looking at every sector. */
function runsOf(mapped: readonly boolean[], first: number, count: number): number[] {
  const runs: number[] = [];
  let isMapped = true;
  for (let at = first; at < first + count; isMapped = !isMapped) {
    let end = at;
    while (end < first + count && mapped[end] === isMapped) end++;
    runs.push(end - at);
    at = end;
  }
  return runs;
}

describe('runs of sectors', () => {
  test('are found as by looking at every sector', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 20 });
    const cases = fc.property(lengths, fc.boolean(), fc.nat(), fc.nat(), (runs, starts, a, b) => {
      const mapped = runs.flatMap((length, index) =>
        new Array<boolean>(length).fill((index % 2 === 0) === starts),
      );
      if (mapped.length === 0) return;
      const first = a % mapped.length;
      const count = 1 + (b % (mapped.length - first));
      let asked = 0;
      const countMapped = (sector: number, sectorCount: number): number => {
        asked++;
        expect(sector >= first && sector + sectorCount <= first + count).toBe(true);
        return mapped.slice(sector, sector + sectorCount).filter(Boolean).length;
      };
      expect(findRuns(countMapped, first, count, 1e9)).toEqual(runsOf(mapped, first, count));
      expect(asked).toBeLessThan(14 * (runs.length + 2));
    });
    fc.assert(cases, { numRuns: 1_000 });
  });

  test('end after so many', () => {
    const alternating = (sector: number, count: number): number =>
      Math.ceil((sector + count) / 2) - Math.ceil(sector / 2);
    expect(findRuns(alternating, 0, 1_000, 5)).toEqual([1, 1, 1, 1, 1]);
    expect(findRuns(() => 0, 0, 2 ** 34, 5)).toEqual([0, 2 ** 34]);
  });
});
