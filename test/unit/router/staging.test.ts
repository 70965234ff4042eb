import { describe, expect, it } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { StagingSpace } from '../../../src/router/staging.ts';

const SECTOR = 4096;

describe('staging space', () => {
  it('hands out ranges one after the other and starts again when all are freed', () => {
    const space = new StagingSpace(8 * SECTOR);
    expect(space.take(2 * SECTOR)).toBe(0);
    expect(space.take(SECTOR)).toBe(2 * SECTOR);
    space.freeUpTo(space.end);
    expect(space.take(SECTOR)).toBe(0);
  });

  it('refuses what does not fit and has room again after the oldest is freed', () => {
    const space = new StagingSpace(4 * SECTOR);
    space.take(2 * SECTOR);
    const first = space.end;
    space.take(2 * SECTOR);
    expect(space.take(SECTOR)).toBe(-1);
    space.freeUpTo(first);
    expect(space.take(SECTOR)).toBe(0);
  });

  it('starts at the beginning when a range would cross the end', () => {
    const space = new StagingSpace(4 * SECTOR);
    space.take(3 * SECTOR);
    const first = space.end;
    expect(space.take(2 * SECTOR)).toBe(-1);
    space.take(SECTOR);
    space.freeUpTo(first);
    expect(space.take(3 * SECTOR)).toBe(0);
    expect(space.take(SECTOR)).toBe(-1);
  });

  it('never lets two live ranges overlap in 20,000 random steps', () => {
    const random = createPrng(1);
    const size = 64;
    const space = new StagingSpace(size * SECTOR);
    const live: { at: number; sectors: number; end: number }[] = [];
    const owned = new Uint8Array(size);
    for (let step = 0; step < 20_000; step++) {
      if (random.nextBelow(2) === 0 || live.length === 0) {
        const sectors = 1 + random.nextBelow(20);
        const at = space.take(sectors * SECTOR) / SECTOR;
        if (at < 0) continue;
        const range = owned.subarray(at, at + sectors);
        expect(range.length).toBe(sectors);
        expect(range.every((taken) => taken === 0)).toBe(true);
        range.fill(1);
        live.push({ at, sectors, end: space.end });
      } else {
        const oldest = live.shift() as { at: number; sectors: number; end: number };
        owned.fill(0, oldest.at, oldest.at + oldest.sectors);
        space.freeUpTo(oldest.end);
      }
    }
  });

  it('counts a wrong order of freeing as a bug', () => {
    const space = new StagingSpace(4 * SECTOR);
    space.take(SECTOR);
    expect(() => space.freeUpTo(space.end + 1)).toThrow('invariant broken');
    expect(() => space.take(100)).toThrow('invariant broken');
  });
});
