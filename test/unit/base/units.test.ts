import { describe, expect, it } from 'vitest';
import {
  GIB,
  KIB,
  MIB,
  SECTOR_BYTES,
  SECTOR_SHIFT,
  sectorAt,
  sectorsFor,
  TIB,
} from '../../../src/base/units.ts';

describe('units', () => {
  it('grow by 1024', () => {
    expect([KIB, MIB, GIB, TIB]).toEqual([2 ** 10, 2 ** 20, 2 ** 30, 2 ** 40]);
  });

  it('agree on the sector', () => {
    expect(SECTOR_BYTES).toBe(2 ** SECTOR_SHIFT);
  });

  it.each([
    [0, 0],
    [1, 0],
    [4095, 0],
    [4096, 1],
    [4097, 1],
    [2 ** 32, 2 ** 20],
    [64 * TIB - 1, 2 ** 34 - 1],
    [64 * TIB, 2 ** 34],
  ])('byte %d is in sector %d', (offsetBytes, sector) => {
    expect(sectorAt(offsetBytes)).toBe(sector);
  });

  it.each([
    [0, 0],
    [1, 1],
    [4096, 1],
    [4097, 2],
    [64 * TIB - 1, 2 ** 34],
  ])('%d bytes need %d sectors', (bytes, sectors) => {
    expect(sectorsFor(bytes)).toBe(sectors);
  });
});
