import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import { createChunkRun, EMPTY_ROOT } from '../../../src/segment/chunk-map.ts';
import { checksums, plainMap, readTree } from './chunk-map-world.ts';

const SECTOR_LIMIT = 2 ** 32;

describe('a caller that breaks the rules is stopped', () => {
  const map = plainMap();
  const root = map.assign(EMPTY_ROOT, 0, 10, 0, checksums, 0);
  const run = createChunkRun(1);
  const cases: [string, () => void][] = [
    ['a run of nothing', () => createChunkRun(0)],
    ['a lookup of nothing', () => map.lookup(root, 0, 0, run)],
    ['a lookup before sector 0', () => map.lookup(root, -1, 1, run)],
    ['a lookup beyond the last sector', () => map.lookup(root, SECTOR_LIMIT - 1, 2, run)],
    ['an assignment of nothing', () => map.assign(root, 0, 0, 0, checksums, 0)],
    ['an assignment before sector 0', () => map.assign(root, -1, 1, 0, checksums, 0)],
    ['an assignment beyond the last', () => map.assign(root, SECTOR_LIMIT, 1, 0, checksums, 0)],
    ['a location below 0', () => map.assign(root, 0, 1, -1, checksums, 0)],
    ['a location of 33 bits', () => map.assign(root, 0, 2, SECTOR_LIMIT - 1, checksums, 0)],
    ['checksums that are not there', () => map.assign(root, 0, 2, 0, checksums, 8191)],
    ['a removal of nothing', () => map.remove(root, 0, 0)],
    ['a removal beyond the last sector', () => map.remove(root, 1, SECTOR_LIMIT)],
    ['a count beyond the last sector', () => map.countMapped(root, 1, SECTOR_LIMIT)],
  ];
  test.each(cases)('%s', (_name, call) => {
    expect(call).toThrow(InvariantError);
    expect(readTree(map, root, 0, 100).size).toBe(10);
  });

  test('a root that is used when nobody owns it', () => {
    const other = plainMap();
    const gone = other.assign(EMPTY_ROOT, 0, 1, 0, checksums, 0);
    other.share(gone);
    other.release(gone);
    other.release(gone);
    expect(() => other.release(gone)).toThrow(InvariantError);
    expect(() => other.share(gone)).toThrow(InvariantError);
    expect(() => other.lookup(gone, 0, 1, createChunkRun(1))).toThrow(InvariantError);
    expect(() => other.countMapped(gone, 0, 1)).toThrow(InvariantError);
    expect(() => other.assign(gone, 0, 1, 0, checksums, 0)).toThrow(InvariantError);
    expect(() => other.forEachSector(gone, () => {})).toThrow(InvariantError);
    other.share(EMPTY_ROOT);
    other.release(EMPTY_ROOT);
  });
});
