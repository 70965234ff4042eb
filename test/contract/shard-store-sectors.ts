/** The contract of shard-store.ts about sectors: written, read, discarded, refused. */
import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../src/base/invariant.ts';
import type { Extent, SectorVisitor } from '../../src/segment/shard-store.ts';
import { fillerOf, HOLE, putSector, readVersions, SECTOR } from '../support/sector-pattern.ts';
import { LAST_SECTOR, type StoreSubject } from './shard-store-subject.ts';

export function sectorTests(subject: StoreSubject): void {
  const { write, versions, expectSound } = subject;

  describe('sectors', () => {
    it('never written are one hole', () => {
      const holes: number[][] = [];
      const visitor: SectorVisitor = {
        hole: (firstSector, sectorCount) => holes.push([firstSector, sectorCount]),
        run: () => expect.fail('nothing was written'),
      };
      subject.store.read(subject.store.openTree('d'), 5, 3000, visitor);
      subject.store.read(subject.store.openTree('d'), 2 ** 32 - 2, 4, visitor);
      expect(holes).toEqual([
        [5, 3000],
        [2 ** 32 - 2, 4],
      ]);
    });

    it('read what was last written', () => {
      write('d', 10, 4, 1);
      write('d', 12, 4, 2);
      expect(versions('d', 9, 8)).toEqual([HOLE, 1, 1, 2, 2, 2, 2, HOLE]);
      expectSound();
    });

    it('written in any order and size read back in ascending runs', () => {
      for (const sector of [90, 3, 50, 51, 4, 2]) write('d', sector, 1, sector);
      write('d', 60, 20, 7);
      expect(versions('d', 2, 3)).toEqual([2, 3, 4]);
      expect(versions('d', 50, 2)).toEqual([50, 51]);
      expect(versions('d', 59, 32)).toEqual([HOLE, ...Array(20).fill(7), ...Array(10).fill(0), 90]);
    });

    it('of an append longer than a segment are all there', () => {
      const sectorCount = subject.segmentSectors + 300;
      write('d', 0, 10, 1);
      write('d', 7, sectorCount, 2);
      expect(versions('d', 0, sectorCount + 8)).toEqual([
        ...Array(7).fill(1),
        ...Array(sectorCount).fill(2),
        HOLE,
      ]);
      expectSound();
    });

    it('around 2^32 and at the end of a tree are like others', () => {
      write('d', 2 ** 32 - 3, 6, 1);
      write('d', 3 * 2 ** 32 - 1, 2, 2);
      write('d', LAST_SECTOR, 1, 3);
      expect(versions('d', 2 ** 32 - 4, 8)).toEqual([HOLE, 1, 1, 1, 1, 1, 1, HOLE]);
      expect(versions('d', 3 * 2 ** 32 - 2, 4)).toEqual([HOLE, 2, 2, HOLE]);
      expect(versions('d', LAST_SECTOR - 1, 2)).toEqual([HOLE, 3]);
      expect(versions('d', 2 ** 31, 1)).toEqual([HOLE]);
      expect(subject.store.countMapped(subject.store.openTree('d'), 0, 2 ** 34)).toBe(9);
    });

    it('discarded read as holes, and can be written again', () => {
      write('d', 0, 40, 1);
      subject.store.discard(subject.store.openTree('d'), 10, 20);
      expect(versions('d', 8, 4)).toEqual([1, 1, HOLE, HOLE]);
      expect(subject.store.countMapped(subject.store.openTree('d'), 0, 100)).toBe(20);
      write('d', 15, 2, 2);
      expect(versions('d', 14, 4)).toEqual([HOLE, 2, 2, HOLE]);
      subject.store.discard(subject.store.openTree('d'), 0, 2 ** 34);
      expect(subject.store.countMapped(subject.store.openTree('d'), 0, 2 ** 34)).toBe(0);
      expect(subject.store.stats().liveSectors).toBe(0);
      expectSound();
    });

    it('are filled in ascending runs that cover the request', () => {
      const runs: number[][] = [];
      subject.store.append(subject.store.openTree('d'), 2 ** 32 - 5, 600, {
        fill(target, targetOffset, firstSector, sectorCount) {
          runs.push([firstSector, sectorCount]);
          fillerOf(1).fill(target, targetOffset, firstSector, sectorCount);
        },
      });
      let next = 2 ** 32 - 5;
      for (const [firstSector, sectorCount] of runs) {
        expect(firstSector).toBe(next);
        next += sectorCount!;
      }
      expect(next).toBe(2 ** 32 - 5 + 600);
    });

    it('of a filler that throws are as they were', () => {
      write('d', 0, 8, 1);
      const filler = {
        fill(target: { bytes: Uint8Array }, targetOffset: number) {
          target.bytes.fill(9, targetOffset, targetOffset + SECTOR);
          throw new Error('the cipher failed');
        },
      };
      const tree = subject.store.openTree('d');
      expect(() => subject.store.append(tree, 0, 4, filler)).toThrow('the cipher failed');
      expect(subject.store.stats()).toMatchObject({ liveSectors: 8, storedSectors: 8 });
      expect(versions('d', 0, 8)).toEqual(Array(8).fill(1));
      write('d', 2, 2, 2);
      expect(versions('d', 0, 5)).toEqual([1, 1, 2, 2, 1]);
      expectSound();
    });

    it('of a filler that reads the store are right', () => {
      write('d', 0, 6, 1);
      const tree = subject.store.openTree('d');
      subject.store.append(tree, 1, 2, {
        fill(target, targetOffset, firstSector, sectorCount) {
          const old = readVersions(subject.store, tree, firstSector, sectorCount);
          old.forEach((version, index) => {
            putSector(
              target.bytes,
              targetOffset + index * SECTOR,
              firstSector + index,
              version + 4,
            );
          });
        },
      });
      expect(versions('d', 0, 4)).toEqual([1, 5, 5, 1]);
    });

    it('are found by extents, which together say what reads say', () => {
      for (const [sector, count] of [
        [10, 4],
        [12, 40],
        [700, 1],
        [2 ** 32 - 3, 6],
        [LAST_SECTOR, 1],
      ] as const) {
        write('d', sector, count, 1);
      }
      subject.store.discard(subject.store.openTree('d'), 20, 5);
      const tree = subject.store.openTree('d');
      const extent: Extent = { isHole: false, sectorCount: 0 };
      const ends = new Map<number, boolean>();
      for (let at = 0; at < 2 ** 34; at += extent.sectorCount) {
        subject.store.extentAt(tree, at, 2 ** 34 - at, extent);
        expect(extent.sectorCount).toBeGreaterThan(0);
        const mapped = subject.store.countMapped(tree, at, extent.sectorCount);
        expect(mapped).toBe(extent.isHole ? 0 : extent.sectorCount);
        ends.set(at, extent.isHole);
      }
      // Holes are as long as they can be: a walk over them takes few steps.
      expect([...ends.values()].filter((isHole) => isHole)).toHaveLength(7);
      subject.store.extentAt(tree, 3, 2, extent);
      expect(extent).toEqual({ isHole: true, sectorCount: 2 });
      subject.store.extentAt(tree, 11, 1, extent);
      expect(extent).toEqual({ isHole: false, sectorCount: 1 });
    });

    it('none are no change', () => {
      write('d', 3, 0, 1);
      subject.store.discard(subject.store.openTree('d'), 3, 0);
      expect(versions('d', 3, 0)).toEqual([]);
      expect(subject.store.stats().storedSectors).toBe(0);
    });

    it.each([
      [-1, 1],
      [0.5, 1],
      [0, -1],
      [LAST_SECTOR, 2],
      [2 ** 34, 1],
      [Number.NaN, 1],
      [0, Number.POSITIVE_INFINITY],
    ])('from %d, %d of them, are a bug of the caller', (sector, sectorCount) => {
      const tree = subject.store.openTree('d');
      const visitor = { hole() {}, run() {} };
      expect(() => subject.store.append(tree, sector, sectorCount, fillerOf(1))).toThrow(
        InvariantError,
      );
      expect(() => subject.store.read(tree, sector, sectorCount, visitor)).toThrow(InvariantError);
      expect(() => subject.store.discard(tree, sector, sectorCount)).toThrow(InvariantError);
      expect(() => subject.store.countMapped(tree, sector, sectorCount)).toThrow(InvariantError);
      const extent = { isHole: false, sectorCount: 0 };
      expect(() => subject.store.extentAt(tree, sector, sectorCount, extent)).toThrow(
        InvariantError,
      );
    });
  });
}
