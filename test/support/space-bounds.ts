/**
 * The space bounds of a shard store (segment/background.ts, rules 1 and 2), by random overwrites.
 */
import { expect } from 'vitest';
import { createPrng } from '../../src/base/prng.ts';
import {
  SPACE_AMPLIFICATION_HARD_MAX,
  SPACE_AMPLIFICATION_MAX,
  SPACE_SLACK_HARD_SEGMENTS,
  SPACE_SLACK_SEGMENTS,
} from '../../src/limits.ts';
import type { ShardStore } from '../../src/segment/shard-store.ts';
import { fillerOf, readVersions, runDry } from './sector-pattern.ts';

/**
 * Overwrites two disks and a snapshot without an idle moment, then rests.
 *
 * Fails unless the hard bound holds after every append and the other once the store has rested.
 */
export function expectBounds(
  store: ShardStore,
  segmentSectors: number,
  sizes: { readonly overwrites: number; readonly treeSectors: number },
): void {
  const { overwrites, treeSectors } = sizes;
  const prng = createPrng(7);
  const latest = new Map<string, number[]>();
  const write = (name: string, sector: number, sectorCount: number, version: number): void => {
    store.append(store.openTree(name), sector, sectorCount, fillerOf(version));
  };
  for (const name of ['d', 'e']) {
    write(name, 0, treeSectors, 1);
    latest.set(name, Array(treeSectors).fill(1));
  }
  store.shareTree('d', 's');
  latest.set('s', Array(treeSectors).fill(1));
  for (let done = 0, version = 2; done < overwrites; version++) {
    const name = ['d', 'e', 's'][prng.nextBelow(3)]!;
    const sectorCount = 1 + prng.nextBelow(8);
    const sector = prng.nextBelow(treeSectors - sectorCount);
    write(name, sector, sectorCount, version);
    latest.get(name)!.fill(version, sector, sector + sectorCount);
    done += sectorCount;
    const { liveSectors, storedSectors } = store.stats();
    const hardMax =
      SPACE_AMPLIFICATION_HARD_MAX * liveSectors + SPACE_SLACK_HARD_SEGMENTS * segmentSectors;
    if (storedSectors > hardMax) expect.fail(`${storedSectors} stored, ${liveSectors} live`);
    if (version % 64 === 0) store.commit();
    if (version % 1024 === 0) store.flush();
  }
  runDry(store);
  const { liveSectors, storedSectors, reclaimedSectors } = store.stats();
  expect(reclaimedSectors).toBeGreaterThan(0);
  const softMax = SPACE_AMPLIFICATION_MAX * liveSectors + SPACE_SLACK_SEGMENTS * segmentSectors;
  expect(storedSectors).toBeLessThanOrEqual(softMax);
  for (const [name, expected] of latest) {
    expect(readVersions(store, store.openTree(name), 0, treeSectors)).toEqual(expected);
  }
}
