/**
 * The contract of shard-store.ts as a suite, run over every implementation of it.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvariantError } from '../../src/base/invariant.ts';
import { createPrng } from '../../src/base/prng.ts';
import { SPACE_SLACK_SEGMENTS } from '../../src/limits.ts';
import type { SectorVisitor, ShardStore } from '../../src/segment/shard-store.ts';
import {
  fillerOf,
  HOLE,
  putSector,
  readVersions,
  runDry,
  SECTOR,
} from '../support/sector-pattern.ts';
import { expectBounds } from '../support/space-bounds.ts';
import { StoreOracle } from '../support/store-oracle.ts';
import { StoreScript } from '../support/store-script.ts';

/** One store, made for one test. */
export interface StoreUnderTest {
  readonly store: ShardStore;
  /** Sectors in one segment. */
  readonly segmentSectors: number;
  /** Closes the store and opens it again; null if nothing outlives close(). */
  readonly reopen: (() => ShardStore) | null;
  /** Closes and removes everything. */
  dispose(): void;
}

export interface SuiteSizes {
  /** Random histories of the model test. */
  readonly histories: number;
  /** Sectors overwritten in the test of the space bounds. */
  readonly overwrites: number;
  /** Sectors of the tree they are in. */
  readonly treeSectors: number;
}

const LAST = 2 ** 34 - 1;

export function shardStoreSuite(
  name: string,
  factory: () => StoreUnderTest,
  sizes: SuiteSizes,
): void {
  describe(`shard store: ${name}`, () => {
    let made: StoreUnderTest;
    let store: ShardStore;

    beforeEach(() => {
      made = factory();
      store = made.store;
    });
    afterEach(() => {
      made.dispose();
    });

    const write = (tree: string, sector: number, sectorCount: number, version: number): void => {
      store.append(store.openTree(tree), sector, sectorCount, fillerOf(version));
    };
    const versions = (tree: string, sector: number, sectorCount: number): number[] =>
      readVersions(store, store.openTree(tree), sector, sectorCount);
    const expectSound = (): void => {
      expect(store.check().problems).toEqual([]);
    };

    describe('sectors', () => {
      it('never written are one hole', () => {
        const holes: number[][] = [];
        const visitor: SectorVisitor = {
          hole: (firstSector, sectorCount) => holes.push([firstSector, sectorCount]),
          run: () => expect.fail('nothing was written'),
        };
        store.read(store.openTree('d'), 5, 3000, visitor);
        store.read(store.openTree('d'), 2 ** 32 - 2, 4, visitor);
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
        expect(versions('d', 59, 32)).toEqual([
          HOLE,
          ...Array(20).fill(7),
          ...Array(10).fill(0),
          90,
        ]);
      });

      it('of an append longer than a segment are all there', () => {
        const sectorCount = made.segmentSectors + 300;
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
        write('d', LAST, 1, 3);
        expect(versions('d', 2 ** 32 - 4, 8)).toEqual([HOLE, 1, 1, 1, 1, 1, 1, HOLE]);
        expect(versions('d', 3 * 2 ** 32 - 2, 4)).toEqual([HOLE, 2, 2, HOLE]);
        expect(versions('d', LAST - 1, 2)).toEqual([HOLE, 3]);
        expect(versions('d', 2 ** 31, 1)).toEqual([HOLE]);
        expect(store.countMapped(store.openTree('d'), 0, 2 ** 34)).toBe(9);
      });

      it('discarded read as holes, and can be written again', () => {
        write('d', 0, 40, 1);
        store.discard(store.openTree('d'), 10, 20);
        expect(versions('d', 8, 4)).toEqual([1, 1, HOLE, HOLE]);
        expect(store.countMapped(store.openTree('d'), 0, 100)).toBe(20);
        write('d', 15, 2, 2);
        expect(versions('d', 14, 4)).toEqual([HOLE, 2, 2, HOLE]);
        store.discard(store.openTree('d'), 0, 2 ** 34);
        expect(store.countMapped(store.openTree('d'), 0, 2 ** 34)).toBe(0);
        expect(store.stats().liveSectors).toBe(0);
        expectSound();
      });

      it('are filled in ascending runs that cover the request', () => {
        const runs: number[][] = [];
        store.append(store.openTree('d'), 2 ** 32 - 5, 600, {
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
        const tree = store.openTree('d');
        expect(() => store.append(tree, 0, 4, filler)).toThrow('the cipher failed');
        expect(store.stats()).toMatchObject({ liveSectors: 8, storedSectors: 8 });
        expect(versions('d', 0, 8)).toEqual(Array(8).fill(1));
        write('d', 2, 2, 2);
        expect(versions('d', 0, 5)).toEqual([1, 1, 2, 2, 1]);
        expectSound();
      });

      it('of a filler that reads the store are right', () => {
        write('d', 0, 6, 1);
        const tree = store.openTree('d');
        store.append(tree, 1, 2, {
          fill(target, targetOffset, firstSector, sectorCount) {
            const old = readVersions(store, tree, firstSector, sectorCount);
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

      it('none are no change', () => {
        write('d', 3, 0, 1);
        store.discard(store.openTree('d'), 3, 0);
        expect(versions('d', 3, 0)).toEqual([]);
        expect(store.stats().storedSectors).toBe(0);
      });

      it.each([
        [-1, 1],
        [0.5, 1],
        [0, -1],
        [LAST, 2],
        [2 ** 34, 1],
        [Number.NaN, 1],
        [0, Number.POSITIVE_INFINITY],
      ])('from %d, %d of them, are a bug of the caller', (sector, sectorCount) => {
        const tree = store.openTree('d');
        const visitor = { hole() {}, run() {} };
        expect(() => store.append(tree, sector, sectorCount, fillerOf(1))).toThrow(InvariantError);
        expect(() => store.read(tree, sector, sectorCount, visitor)).toThrow(InvariantError);
        expect(() => store.discard(tree, sector, sectorCount)).toThrow(InvariantError);
        expect(() => store.countMapped(tree, sector, sectorCount)).toThrow(InvariantError);
      });
    });

    describe('trees', () => {
      it('are known by name', () => {
        expect(store.treeNames()).toEqual([]);
        const tree = store.openTree('a');
        expect(tree.name).toBe('a');
        expect(store.openTree('a')).toBe(tree);
        store.openTree('b/ü');
        expect(store.treeNames().sort()).toEqual(['a', 'b/ü']);
        expect(store.stats().trees).toBe(2);
      });

      it('have names of 1 to 1024 bytes', () => {
        for (const bad of ['', 'x'.repeat(1025), 'ü'.repeat(513)]) {
          expect(() => store.openTree(bad)).toThrow(/InvalidArgument/);
          expect(() => store.shareTree('a', bad)).toThrow(/InvalidArgument/);
        }
        store.openTree('ü'.repeat(512));
        expect(store.treeNames()).toEqual(['ü'.repeat(512)]);
      });

      it('shared have the same content and then go their own ways', () => {
        write('d', 0, 30, 1);
        write('d', 2 ** 33, 3, 2);
        store.shareTree('d', 's');
        write('d', 5, 5, 3);
        store.discard(store.openTree('s'), 20, 5);
        expect(versions('d', 4, 3)).toEqual([1, 3, 3]);
        expect(versions('s', 4, 3)).toEqual([1, 1, 1]);
        expect(versions('d', 19, 2)).toEqual([1, 1]);
        expect(versions('s', 19, 2)).toEqual([1, HOLE]);
        expect(versions('s', 2 ** 33, 3)).toEqual([2, 2, 2]);
        expectSound();
      });

      it('shared take no space until they differ', () => {
        write('d', 0, 50, 1);
        const before = store.stats();
        for (let index = 0; index < 20; index++) store.shareTree('d', `s${index}`);
        expect(store.stats().storedSectors).toBe(before.storedSectors);
        expect(store.stats().liveSectors).toBe(50);
        write('s3', 0, 1, 2);
        expect(store.stats().liveSectors).toBe(51);
      });

      it('survive the removal of what they were shared from', () => {
        write('d', 0, 10, 1);
        store.shareTree('d', 's');
        store.shareTree('s', 't');
        store.removeTree('d');
        store.removeTree('s');
        expect(store.treeNames()).toEqual(['t']);
        expect(versions('t', 0, 10)).toEqual(Array(10).fill(1));
        store.removeTree('t');
        expect(store.stats().liveSectors).toBe(0);
        expectSound();
      });

      it('shared from none are empty', () => {
        store.shareTree('none', 's');
        expect(store.treeNames()).toEqual(['s']);
        expect(versions('s', 0, 2)).toEqual([HOLE, HOLE]);
      });

      it('cannot be shared over another', () => {
        write('d', 0, 1, 1);
        write('s', 0, 1, 2);
        expect(() => store.shareTree('d', 's')).toThrow(/InvalidArgument/);
        expect(() => store.shareTree('d', 'd')).toThrow(/InvalidArgument/);
        expect(versions('s', 0, 1)).toEqual([2]);
      });

      it('removed are gone, and their objects dead', () => {
        write('d', 0, 3, 1);
        const tree = store.openTree('d');
        store.removeTree('d');
        store.removeTree('d');
        store.removeTree('never');
        expect(store.treeNames()).toEqual([]);
        expect(() => store.discard(tree, 0, 1)).toThrow(InvariantError);
        expect(versions('d', 0, 3)).toEqual([HOLE, HOLE, HOLE]);
        expect(() => store.append(tree, 0, 1, fillerOf(1))).toThrow(InvariantError);
      });
    });

    describe('space', () => {
      it('is counted', () => {
        write('d', 0, 12, 1);
        write('d', 0, 4, 2);
        const stats = store.stats();
        expect(stats.liveSectors).toBe(12);
        expect(stats.storedSectors).toBe(16);
        expect(stats.segments).toBe(Math.ceil(16 / made.segmentSectors));
        expect(stats.mapBytes).toBeGreaterThanOrEqual(4 * stats.segments * made.segmentSectors);
      });

      it('of a store that rests is all in order', () => {
        write('d', 0, 100, 1);
        runDry(store);
        expect(store.idle()).toBe(false);
        expect(store.check()).toMatchObject({ treesChecked: 1, sectorsChecked: 100, problems: [] });
      });

      it('stays within its bounds under random overwrites, without and with idle time', () => {
        expectBounds(store, made.segmentSectors, sizes);
        expectSound();
      });

      it('of everything removed comes back', () => {
        for (let index = 0; index < 4; index++) write(`d${index}`, 0, 2 * made.segmentSectors, 1);
        for (let index = 0; index < 4; index++) store.removeTree(`d${index}`);
        store.flush();
        runDry(store);
        const { liveSectors, storedSectors } = store.stats();
        expect(liveSectors).toBe(0);
        expect(storedSectors).toBeLessThanOrEqual(SPACE_SLACK_SEGMENTS * made.segmentSectors);
        expectSound();
      });
    });

    describe('life', () => {
      it('ends with close(), which may be called again', () => {
        const tree = store.openTree('d');
        store.close();
        store.close();
        expect(() => store.append(tree, 0, 1, fillerOf(1))).toThrow(InvariantError);
        expect(() => store.treeNames()).toThrow(InvariantError);
        expect(() => store.commit()).toThrow(InvariantError);
      });

      it('goes on after close() where files are', () => {
        if (made.reopen === null) return;
        write('d', 0, 20, 1);
        write('d', LAST, 1, 2);
        store.shareTree('d', 's');
        write('d', 5, 3, 3);
        store.removeTree('none');
        store = made.reopen();
        expect(store.treeNames().sort()).toEqual(['d', 's']);
        expect(versions('d', 4, 5)).toEqual([1, 3, 3, 3, 1]);
        expect(versions('s', 4, 5)).toEqual([1, 1, 1, 1, 1]);
        expect(versions('d', LAST, 1)).toEqual([2]);
        expectSound();
        write('s', 0, 1, 4);
        store = made.reopen();
        expect(versions('s', 0, 2)).toEqual([4, 1]);
      });
    });

    it('agrees with a plain map over random histories', () => {
      for (let seed = 1; seed <= sizes.histories; seed++) {
        made.dispose();
        made = factory();
        const prng = createPrng(seed);
        const oracle = new StoreOracle();
        store = made.store;
        const script = new StoreScript(store, oracle, prng);
        for (let round = 0; round < 4; round++) {
          script.run(60);
          script.expectAll(`seed ${seed}, round ${round}`);
          expect(store.check().problems, `seed ${seed}, round ${round}`).toEqual([]);
          if (made.reopen === null) continue;
          store = made.reopen();
          script.store = store;
          script.expectAll(`seed ${seed}, round ${round}, reopened`);
        }
        expect(script.errors).toEqual([]);
      }
    });
  });
}
