/**
 * The contract of shard-store.ts as a suite, run over every implementation of it.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvariantError } from '../../src/base/invariant.ts';
import { createPrng } from '../../src/base/prng.ts';
import {
  SPACE_AMPLIFICATION_HARD_MAX,
  SPACE_AMPLIFICATION_MAX,
  SPACE_SLACK_HARD_SEGMENTS,
  SPACE_SLACK_SEGMENTS,
} from '../../src/limits.ts';
import type { ShardStore } from '../../src/segment/shard-store.ts';
import { fillerOf, readVersions, runDry } from '../support/sector-pattern.ts';
import { StoreOracle } from '../support/store-oracle.ts';
import { StoreScript } from '../support/store-script.ts';
import { sectorTests } from './shard-store-sectors.ts';
import { LAST_SECTOR, type StoreSubject } from './shard-store-subject.ts';
import { treeTests } from './shard-store-trees.ts';

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

    const subject: StoreSubject = {
      get store() {
        return store;
      },
      get segmentSectors() {
        return made.segmentSectors;
      },
      write,
      versions,
      expectSound,
    };
    sectorTests(subject);
    treeTests(subject);

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
        const prng = createPrng(7);
        const { segmentSectors } = made;
        const latest = new Map<string, number[]>();
        const { treeSectors } = sizes;
        for (const tree of ['d', 'e']) {
          write(tree, 0, treeSectors, 1);
          latest.set(tree, Array(treeSectors).fill(1));
        }
        store.shareTree('d', 's');
        latest.set('s', Array(treeSectors).fill(1));
        for (let done = 0, version = 2; done < sizes.overwrites; version++) {
          const tree = ['d', 'e', 's'][prng.nextBelow(3)]!;
          const sectorCount = 1 + prng.nextBelow(8);
          const sector = prng.nextBelow(treeSectors - sectorCount);
          write(tree, sector, sectorCount, version);
          latest.get(tree)!.fill(version, sector, sector + sectorCount);
          done += sectorCount;
          const { liveSectors, storedSectors } = store.stats();
          const hardMax =
            SPACE_AMPLIFICATION_HARD_MAX * liveSectors + SPACE_SLACK_HARD_SEGMENTS * segmentSectors;
          if (storedSectors > hardMax) expect.fail(`${storedSectors} stored, ${liveSectors} live`);
          if (version % 64 === 0) store.commit();
          if (version % 1024 === 0) store.flush();
        }
        runDry(store);
        expect(store.stats().reclaimedSectors).toBeGreaterThan(0);
        const { liveSectors, storedSectors } = store.stats();
        const softMax =
          SPACE_AMPLIFICATION_MAX * liveSectors + SPACE_SLACK_SEGMENTS * segmentSectors;
        expect(storedSectors).toBeLessThanOrEqual(softMax);
        for (const [tree, expected] of latest) {
          expect(versions(tree, 0, treeSectors)).toEqual(expected);
        }
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
        write('d', LAST_SECTOR, 1, 2);
        store.shareTree('d', 's');
        write('d', 5, 3, 3);
        store.removeTree('none');
        store = made.reopen();
        expect(store.treeNames().sort()).toEqual(['d', 's']);
        expect(versions('d', 4, 5)).toEqual([1, 3, 3, 3, 1]);
        expect(versions('s', 4, 5)).toEqual([1, 1, 1, 1, 1]);
        expect(versions('d', LAST_SECTOR, 1)).toEqual([2]);
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
