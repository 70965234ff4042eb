import { expect, it } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import { SlotTable } from '../../../src/segment/slot-table.ts';

const SLOTS = 8;

function tableWith(usedSlots: number) {
  const table = new SlotTable(SLOTS);
  const segment = table.open();
  table.use(segment, usedSlots);
  return { table, segment };
}

it('locations number the slots of all segments', () => {
  const table = new SlotTable(SLOTS);
  table.open();
  const second = table.open();
  expect(table.locationOf(second, 3)).toBe(11);
  expect(table.segmentNumberOf(11)).toBe(1);
  expect(table.slotOf(11)).toBe(3);
  expect(table.segmentAt(11)).toBe(second);
  expect(table.segmentNumberOf(2 ** 32 - 1)).toBe(2 ** 29 - 1);
  expect(() => table.segmentAt(16)).toThrow(InvariantError);
});

it('a slot is live while anything refers to it', () => {
  const { table, segment } = tableWith(4);
  table.acquire(2);
  table.acquire(2);
  table.acquire(3);
  expect([segment.liveSlots, table.liveSectors, table.storedSectors]).toEqual([2, 2, 4]);
  table.release(2);
  expect(table.liveSectors).toBe(2);
  table.release(2);
  table.release(3);
  expect([segment.liveSlots, table.liveSectors, table.storedSectors]).toEqual([0, 0, 4]);
});

it('a slot nothing refers to cannot be released, nor one outside a segment', () => {
  const { table } = tableWith(4);
  expect(() => table.release(1)).toThrow(InvariantError);
  expect(() => table.release(SLOTS)).toThrow(InvariantError);
  expect(() => table.acquire(SLOTS)).toThrow(InvariantError);
});

it('a sealed segment is listed when its last reference goes, an open one when it is sealed', () => {
  const { table, segment } = tableWith(4);
  table.acquire(0);
  table.release(0);
  expect(table.emptied).toEqual([]);
  table.acquire(1);
  table.seal(segment);
  expect(table.emptied).toEqual([]);
  table.release(1);
  expect(table.emptied).toEqual([segment]);

  const second = table.open();
  table.use(second, 1);
  table.seal(second);
  expect(table.emptied).toEqual([segment, second]);
});

it('an open segment takes no more slots than it has, a sealed one none', () => {
  const { table, segment } = tableWith(SLOTS);
  expect(() => table.use(segment, 1)).toThrow(InvariantError);
  table.seal(segment);
  expect(() => table.use(segment, 0)).toThrow(InvariantError);
  expect(() => table.seal(segment)).toThrow(InvariantError);
});

it('a retired segment takes up space until it is removed, and its number is used again', () => {
  const { table, segment } = tableWith(5);
  expect(() => table.retire(segment)).toThrow(InvariantError);
  table.acquire(0);
  table.seal(segment);
  expect(() => table.retire(segment)).toThrow(InvariantError);
  table.release(0);
  expect(() => table.remove(segment)).toThrow(InvariantError);
  table.retire(segment);
  expect([table.storedSectors, table.retiredSectors, table.segmentCount]).toEqual([5, 5, 1]);
  table.remove(segment);
  expect([table.storedSectors, table.retiredSectors, table.segmentCount]).toEqual([0, 0, 0]);
  expect(table.open().number).toBe(0);
  expect(table.open().number).toBe(1);
});

it('recovery may refer to segments before they are known, and gives unused numbers back', () => {
  const table = new SlotTable(SLOTS);
  table.isRecovering = true;
  table.acquire(3 * SLOTS + 1);
  table.acquire(5 * SLOTS);
  table.release(5 * SLOTS);
  expect(table.find(3)?.state).toBe('sealed');
  table.setUsed(table.find(3)!, 6);
  table.setUsed(table.find(5)!, 2);
  const retired = table.endRecovery();
  expect(retired.map((segment) => segment.number)).toEqual([5]);
  expect(table.emptied).toEqual([]);
  expect([table.storedSectors, table.retiredSectors, table.liveSectors]).toEqual([8, 2, 1]);
  expect([table.open().number, table.open().number]).toEqual([0, 1]);
  expect([table.open().number, table.open().number, table.open().number]).toEqual([2, 4, 6]);
  expect(() => table.setUsed(table.find(3)!, 7)).toThrow(InvariantError);
});

it('slots per segment are a power of two', () => {
  expect(() => new SlotTable(12)).toThrow(InvariantError);
});
