/** A pass of reclaim that cannot go on: what was not moved stays where it is. */
import { expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { SECTOR_BYTES } from '../../../src/base/units.ts';
import { ChunkMap, createChunkRun } from '../../../src/segment/chunk-map.ts';
import { MemorySegments } from '../../../src/segment/memory-segments.ts';
import type { Persistence } from '../../../src/segment/persistence.ts';
import { Reclaimer } from '../../../src/segment/reclaim.ts';
import { SegmentSpace } from '../../../src/segment/segment-space.ts';
import { SlotTable } from '../../../src/segment/slot-table.ts';
import { TreeTable } from '../../../src/segment/tree-table.ts';

const SEGMENT_SECTORS = 16;
const SEGMENTS = 8;
const SECTORS = 4 * SEGMENT_SECTORS;

/** Four full segments of which every eighth sector is live, and what moves those. */
function halfEmpty(requireAppendable: () => void = () => {}) {
  const table = new SlotTable(SEGMENT_SECTORS);
  const trees = new TreeTable(new ChunkMap(table));
  const bytes = SEGMENTS * SEGMENT_SECTORS * SECTOR_BYTES;
  const space = new SegmentSpace(table, new MemorySegments(bytes, SEGMENT_SECTORS));
  const tree = trees.create('a');
  const take = (): number => {
    space.openSlots();
    space.memory.region.bytes.fill(7, space.offsetBytes, space.offsetBytes + SECTOR_BYTES);
    return space.take(1);
  };
  for (let sector = 0; sector < SECTORS; sector++) {
    space.openSlots();
    const at = space.offsetBytes;
    space.memory.region.bytes.fill(sector + 1, at, at + SECTOR_BYTES);
    const checksums = Uint32Array.of(space.memory.checksum(at));
    trees.assign(tree, sector, 1, space.take(1), checksums, 0);
  }
  for (let sector = 0; sector < SECTORS; sector++) {
    if (sector % 8 !== 0) trees.discard(tree, sector, 1);
  }
  const persistence = { isReady: true, requireAppendable, noteMove: () => {} };
  const reclaimer = new Reclaimer({
    map: trees.map,
    table,
    space,
    persistence: persistence as unknown as Persistence,
  });
  // The last of the four is the open one: it is sealed when the next begins.
  take();
  const locations = (): number[] => {
    const run = createChunkRun(1);
    const found: number[] = [];
    for (let sector = 0; sector < SECTORS; sector += 8) {
      trees.lookup(tree, sector, 1, run);
      expect(run.isHole).toBe(false);
      found.push(run.location);
    }
    return found;
  };
  return { reclaimer, space, take, locations };
}

it('moves what is live where nothing is in the way', () => {
  const { reclaimer, locations } = halfEmpty();
  const before = locations();
  expect(reclaimer.begin(0)).toBe(true);
  while (reclaimer.step(1000));
  expect(reclaimer.movedSectors).toBe(before.length);
  expect(locations().every((location, index) => location !== before[index])).toBe(true);
});

it('ends where others have taken the room it began with', () => {
  const { reclaimer, space, take, locations } = halfEmpty();
  const before = locations();
  expect(reclaimer.begin(0)).toBe(true);
  while (space.freeSlots(true) > 0) take();
  expect(reclaimer.step(1000)).toBe(false);
  expect({ isActive: reclaimer.isActive, moved: reclaimer.movedSectors }).toEqual({
    isActive: false,
    moved: 0,
  });
  expect(locations()).toEqual(before);
});

it('ends where nothing can be written, and lets a bug through', () => {
  let thrown: unknown = new PlaneError('StoreFailed', 'an fdatasync');
  const { reclaimer, locations } = halfEmpty(() => {
    throw thrown;
  });
  const before = locations();
  expect(reclaimer.begin(0)).toBe(true);
  expect(reclaimer.step(1000)).toBe(false);
  thrown = new Error('a bug');
  expect(reclaimer.begin(0)).toBe(true);
  expect(() => reclaimer.step(1000)).toThrow('a bug');
  reclaimer.end();
  expect(locations()).toEqual(before);
});
