import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UNKNOWN_VERSION, VersionMap, ZEROS_VERSION } from '../../../src/load/version-map.ts';

const UNITS = 30_000;

test('it is a plain array, whatever is set in whatever order', () => {
  const range = fc.record({
    first: fc.integer({ min: 0, max: UNITS - 1 }),
    count: fc.integer({ min: 1, max: 9000 }),
  });
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), fc.boolean(), (ranges, isFresh) => {
      const initial = isFresh ? ZEROS_VERSION : UNKNOWN_VERSION;
      const map = new VersionMap(initial);
      const model = new Uint32Array(UNITS).fill(initial);
      for (const { first, count } of ranges) {
        const within = Math.min(count, UNITS - first);
        const version = map.nextVersion();
        map.set(first, within, version);
        model.fill(version, first, first + within);
      }
      const copied = new Uint32Array(UNITS);
      map.copyTo(0, UNITS, copied);
      expect(Buffer.compare(Buffer.from(copied.buffer), Buffer.from(model.buffer))).toBe(0);
      const part = new Uint32Array(10_000);
      map.copyTo(7777, 10_000, part);
      expect(
        Buffer.compare(Buffer.from(part.buffer), Buffer.from(model.slice(7777, 17_777).buffer)),
      ).toBe(0);
    }),
    { numRuns: 50 },
  );
});

test('versions count from 1', () => {
  const map = new VersionMap(ZEROS_VERSION);
  expect([map.nextVersion(), map.nextVersion()]).toEqual([1, 2]);
});

test('only what was written here is written: not zeros, not the unknown', () => {
  const map = new VersionMap(UNKNOWN_VERSION);
  expect(map.isWritten(0, 100_000)).toBe(false);
  map.set(9000, 4, map.nextVersion());
  map.set(20_000, 4, ZEROS_VERSION);
  map.set(30_000, 4, UNKNOWN_VERSION);
  expect(map.isWritten(0, 9000)).toBe(false);
  expect(map.isWritten(9003, 1)).toBe(true);
  expect(map.isWritten(0, 100_000)).toBe(true);
  expect(map.isWritten(20_000, 20_000)).toBe(false);
});

test('the ends of a 64 TiB disk cost two pages', () => {
  const map = new VersionMap(ZEROS_VERSION);
  const last = 2 ** 37 - 1;
  map.set(0, 1, 5);
  map.set(last, 1, 6);
  const copied = new Uint32Array(1);
  map.copyTo(last, 1, copied);
  expect(copied[0]).toBe(6);
});
