import { expect, test } from 'vitest';
import { DiskVerifier } from '../../../src/load/disk-verifier.ts';
import type { LoadDisk } from '../../../src/load/load-disk.ts';
import { READ, SOURCE_READY, WRITE } from '../../../src/load/operation-source.ts';
import { createStampContent } from '../../../src/load/unit-content.ts';
import { joinRanges, RangeWalk, readBackWalk } from '../../../src/load/walk.ts';

const range = (startBytes: number, endBytes: number) => ({ startBytes, endBytes });
const disk = {} as LoadDisk;

function steps(walk: RangeWalk): number[][] {
  const taken = [];
  while (walk.next() === SOURCE_READY) taken.push([walk.offsetBytes, walk.lengthBytes]);
  return taken;
}

test('ranges that touch or overlap are one', () => {
  expect(
    joinRanges([range(50, 60), range(0, 10), range(10, 20), range(15, 18), range(55, 70)]),
  ).toEqual([range(0, 20), range(50, 70)]);
  expect(joinRanges([])).toEqual([]);
});

test('a walk covers its ranges once, in order, the last step of each cut short', () => {
  const walk = new RangeWalk(WRITE, disk, [range(0, 25), range(100, 110)], 10);
  expect(walk.progress()).toBe(0);
  expect(steps(walk)).toEqual([
    [0, 10],
    [10, 10],
    [20, 5],
    [100, 10],
  ]);
  expect(walk.progress()).toBe(1);
  expect(() => walk.ready()).toThrow('never waits');
});

test('nothing to walk is nothing, and done', () => {
  const walk = new RangeWalk(READ, disk, [], 10);
  expect([steps(walk), walk.progress()]).toEqual([[], 1]);
});

test('reading back passes over what was not written', () => {
  const content = createStampContent(1);
  const verifier = new DiskVerifier({ diskName: 'd', isFresh: true, isStrict: true, content });
  verifier.beforeWrite(4096, 512, new Int32Array(128));
  verifier.beforeWrite(12_288, 4096, new Int32Array(1024));
  const walk = readBackWalk({ ...disk, verifier }, range(0, 40_960), 4096);
  expect(steps(walk)).toEqual([
    [4096, 4096],
    [12_288, 4096],
  ]);
  expect(walk.progress()).toBe(1);
});
