import { describe, expect, test } from 'vitest';
import { nextUint32, seedRandom } from '../../../src/fleet/random.ts';

function drawsOf(seed: number, disk: number, stream: number, count = 4): number[] {
  const state = new Int32Array(4);
  seedRandom(state, seed, disk, stream);
  return Array.from({ length: count }, () => nextUint32(state));
}

describe('the generator', () => {
  test('gives the known answers of xoshiro128**', () => {
    // From the state 1, 2, 3, 4; rand_xoshiro 0.6 (Rust), tests of Xoshiro128StarStar.
    const state = Int32Array.of(1, 2, 3, 4);
    expect(Array.from({ length: 10 }, () => nextUint32(state))).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597,
      4258142804,
    ]);
  });

  test('gives every stream numbers of its own', () => {
    const firsts = new Set<number>();
    for (let seed = 0; seed < 10; seed++) {
      for (let disk = 0; disk < 1000; disk++) {
        for (let stream = 0; stream < 3; stream++) firsts.add(drawsOf(seed, disk, stream, 1)[0]!);
      }
    }
    // Of 30,000 even draws from 2^32, a tenth of one pair is equal.
    expect(firsts.size).toBeGreaterThanOrEqual(29_999);
  });

  test('gives one stream the same numbers each time', () => {
    expect(drawsOf(7, 3, 1)).toEqual(drawsOf(7, 3, 1));
    expect(drawsOf(7, 3, 1)).not.toEqual(drawsOf(8, 3, 1));
  });

  test('is even over the first draws of neighbouring disks', () => {
    const cells = new Float64Array(256);
    const count = 256 * 400;
    for (let disk = 0; disk < count; disk++) {
      const cell = drawsOf(1, disk, 0, 1)[0]! >>> 24;
      cells[cell] = cells[cell]! + 1;
    }
    const square = cells.reduce((sum, seen) => sum + (seen - 400) ** 2 / 400, 0);
    // Chi-square with 255 degrees of freedom: 255 +- 22.6; five deviations.
    expect(square).toBeGreaterThan(142);
    expect(square).toBeLessThan(368);
  });
});
