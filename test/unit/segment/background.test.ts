/** What an append does for room where there is more garbage than there may be. */
import { expect, it } from 'vitest';
import { Background } from '../../../src/segment/background.ts';
import type { Persistence } from '../../../src/segment/persistence.ts';
import type { Reclaimer } from '../../../src/segment/reclaim.ts';
import type { SegmentSpace } from '../../../src/segment/segment-space.ts';
import type { SlotTable } from '../../../src/segment/slot-table.ts';

interface World {
  isReady: boolean;
  hasRetired: boolean;
  freeSlots: number;
}

/** A store with nothing live in a thousand slots. */
function background(world: World) {
  const calls: string[] = [];
  const table = { liveSectors: 0, storedSectors: 1000, segmentSlots: 4, emptied: [] };
  const persistence = {
    isCheckpointing: false,
    hasRemovable: false,
    get isReady() {
      return world.isReady;
    },
    get hasRetired() {
      return world.hasRetired;
    },
    settle: () => {
      calls.push('settle');
      world.hasRetired = false;
      table.storedSectors = 0;
    },
  };
  const reclaimer = {
    isActive: false,
    begin: () => {
      calls.push('begin');
      return false;
    },
  };
  const space = { freeSlots: () => world.freeSlots };
  const made = new Background(
    table as unknown as SlotTable,
    space as unknown as SegmentSpace,
    reclaimer as unknown as Reclaimer,
    persistence as unknown as Persistence,
  );
  return { made, calls };
}

it('takes back what is retired before it moves anything', () => {
  const { made, calls } = background({ isReady: true, hasRetired: true, freeSlots: 8 });
  made.makeRoom(4);
  expect(calls).toEqual(['settle']);
});

it('goes on where nothing can be reclaimed for now, as long as there is room', () => {
  const { made, calls } = background({ isReady: false, hasRetired: true, freeSlots: 8 });
  made.makeRoom(4);
  expect(() => made.makeRoom(9)).toThrow('NoSpace');
  expect(calls).toEqual([]);
});

it('is refused where nothing is worth moving and there is no room', () => {
  const { made, calls } = background({ isReady: true, hasRetired: false, freeSlots: 3 });
  expect(() => made.makeRoom(4)).toThrow('NoSpace: expected room for 4 sectors, there is for 3');
  expect(calls).toEqual(['begin']);
});
