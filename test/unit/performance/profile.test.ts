/**
 * How fast disks are: every kind at every kind of size, and published examples worked by hand.
 */
import { describe, expect, it } from 'vitest';
import { MIB } from '../../../src/base/units.ts';
import { SIZE_RULES } from '../../../src/control/disks/category-rules.ts';
import { AUTO_FIGURES, PERFORMANCE } from '../../../src/performance/figures.ts';
import {
  iopsAtBlockSize,
  profileOf,
  provisionedIopsMax,
} from '../../../src/performance/profile.ts';

const disk = (category: string, performanceLevel: string, sizeGiB: number) => ({
  category,
  performanceLevel,
  sizeGiB,
  provisionedIops: 0,
  bursting: false,
});

describe('the profile of a disk', () => {
  // Worked by hand from the published formulas.
  it.each([
    ['cloud_essd', 'PL1', 20, 2_800, 130],
    ['cloud_essd', 'PL1', 40, 3_800, 140],
    ['cloud_essd', 'PL1', 100, 6_800, 170],
    ['cloud_essd', 'PL1', 964, 50_000, 350],
    ['cloud_essd', 'PL1', 2_000, 50_000, 350],
    ['cloud_essd', 'PL0', 40, 2_280, 110],
    ['cloud_essd', 'PL0', 683, 9_996, 180],
    ['cloud_essd', 'PL0', 684, 10_000, 180],
    ['cloud_essd', 'PL2', 461, 24_850, 350.5],
    ['cloud_essd', 'PL2', 1_964, 100_000, 750],
    ['cloud_essd', 'PL3', 1_261, 64_850, 750.5],
    ['cloud_essd', 'PL3', 20_000, 1_000_000, 4_000],
    ['cloud_essd_entry', '', 100, 2_600, 115],
    ['cloud_essd_entry', '', 600, 6_000, 150],
    ['cloud_auto', '', 4, 3_000, 125],
    ['cloud_auto', '', 40, 3_800, 140],
    ['cloud_auto', '', 1_000, 50_000, 350],
    ['cloud_regional_disk_auto', '', 100, 6_800, 170],
    ['cloud_efficiency', '', 100, 2_600, 115],
    ['cloud_efficiency', '', 500, 5_000, 140],
    ['cloud_ssd', '', 100, 4_800, 170],
    ['cloud_ssd', '', 1_000, 25_000, 300],
    ['cloud', '', 500, 300, 30],
  ] as const)('%s %s of %i GiB has %i IOPS and %d MB/s', (category, level, size, iops, mbs) => {
    const profile = profileOf(disk(category, level, size));
    expect(profile.iops).toBe(iops);
    expect(profile.bytesPerSecond / MIB).toBeCloseTo(mbs, 9);
    expect(profile.burst).toBeNull();
  });

  it.each([
    ['cloud_essd', 'PL1', 200, 0],
    ['cloud_essd', 'PL0', 400, 100],
    ['cloud_essd_entry', '', 2_000, 1_000],
    ['cloud_ssd', '', 1_250, 750],
    ['cloud_efficiency', '', 2_000, 1_000],
    ['cloud', '', 7_500, 2_500],
  ] as const)('%s %s answers after %i microseconds, give or take %i', (...row) => {
    const [category, level, average, spread] = row;
    const { latencyMicroseconds } = profileOf(disk(category, level, 2_000));
    expect(latencyMicroseconds).toEqual({ average, spread });
  });

  it('of every kind grows with the size, within the bounds its row names, at every size', () => {
    const wrong: string[] = [];
    for (const { category, performanceLevel, iops, throughput, source } of PERFORMANCE) {
      expect(source.length).toBeGreaterThan(10);
      const windows = SIZE_RULES.filter(
        (rule) => rule.category === category && rule.performanceLevel === performanceLevel,
      ).flatMap(({ sizes }) => (sizes === null ? [] : [sizes]));
      const min = Math.min(...windows.map((sizes) => sizes.min), 1);
      const max = Math.max(...windows.map((sizes) => sizes.max), 1);
      let before = profileOf(disk(category, performanceLevel, min));
      for (let sizeGiB = min; sizeGiB <= max; sizeGiB += sizeGiB < 4_000 ? 1 : 997) {
        const profile = profileOf(disk(category, performanceLevel, sizeGiB));
        const isWithin =
          profile.iops >= before.iops &&
          profile.bytesPerSecond >= before.bytesPerSecond &&
          profile.iops <= iops.cap &&
          profile.bytesPerSecond <= throughput.cap * MIB;
        if (!isWithin) wrong.push(`${category} ${performanceLevel} ${sizeGiB}`);
        before = profile;
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('an AutoPL disk', () => {
  const auto = (sizeGiB: number, provisionedIops: number, bursting: boolean) =>
    profileOf({ ...disk('cloud_auto', '', sizeGiB), provisionedIops, bursting });

  it.each([
    // GiB, provisioned, IOPS, MB/s: baseline + provisioned x 16 KiB.
    [40, 1_000, 4_800, 155.625],
    [1_000, 50_000, 100_000, 1_131.25],
    [65_536, 50_000, 100_000, 1_131.25],
  ])('of %i GiB with %i provisioned IOPS has %i IOPS and %d MB/s', (...row) => {
    const [sizeGiB, provisioned, iops, mbs] = row;
    const profile = auto(sizeGiB, provisioned, false);
    expect(profile.iops).toBe(iops);
    expect(profile.bytesPerSecond).toBe(mbs * MIB);
  });

  it.each([
    // GiB, provisioned, IOPS and MB/s of a burst: min{16 KiB x IOPS, 4 GB/s}, or what it has.
    [4, 0, 4_000, 125],
    [40, 0, 40_000, 625],
    [100, 0, 100_000, 1_562.5],
    [1_000, 50_000, 1_000_000, 4_096],
    [65_536, 0, 1_000_000, 4_096],
  ])('of %i GiB with %i provisioned IOPS bursts to %i IOPS and %d MB/s', (...row) => {
    const [sizeGiB, provisioned, iops, mbs] = row;
    const profile = auto(sizeGiB, provisioned, true);
    expect(profile.burst).toEqual({ iops, bytesPerSecond: mbs * MIB });
    expect(profile.iops).toBe(auto(sizeGiB, provisioned, false).iops);
  });

  it('bursts from 4 GiB on, and no other category does', () => {
    expect(auto(3, 0, true).burst).toBeNull();
    expect(auto(4, 0, true).burst).not.toBeNull();
    for (const { category, performanceLevel } of PERFORMANCE) {
      if (category === AUTO_FIGURES.category) continue;
      const other = { ...disk(category, performanceLevel, 100), bursting: true };
      expect(profileOf(other).burst).toBeNull();
    }
  });

  it('takes provisioned IOPS up to 1,000 per GiB in all, and up to 50,000', () => {
    const kind = { category: 'cloud_auto', performanceLevel: '' };
    expect([3, 4, 40, 54, 55, 65_536].map((size) => provisionedIopsMax(kind, size))).toEqual([
      0, 1_000, 36_200, 49_500, 50_000, 50_000,
    ]);
  });
});

describe('the sizes of requests to a standard SSD', () => {
  const { blockSizes } = profileOf(disk('cloud_ssd', '', 2_000));

  it.each([
    [512, 25_000],
    [4_096, 25_000],
    [16_384, 17_200],
    [32_768, 9_600],
    [65_536, 4_800],
    [131_072, 2_400],
  ])('of %i bytes each are done %i times a second', (bytes, iops) => {
    expect(iopsAtBlockSize(blockSizes, bytes)).toBeCloseTo(iops, 6);
  });

  it('take longer the longer they are', () => {
    let before = 0;
    for (let bytes = 4_096; bytes <= 262_144; bytes += 4_096) {
      const seconds = 1 / iopsAtBlockSize(blockSizes, bytes);
      expect(seconds).toBeGreaterThan(before);
      before = seconds;
    }
  });

  it('make 300 MB/s of 2^20 bytes from 32 KiB on: what says which MB the documents mean', () => {
    expect((iopsAtBlockSize(blockSizes, 32_768) * 32_768) / MIB).toBe(300);
    expect((iopsAtBlockSize(blockSizes, 65_536) * 65_536) / MIB).toBe(300);
  });

  it('of other kinds matter to their throughput alone', () => {
    const { blockSizes: none } = profileOf(disk('cloud_essd', 'PL1', 2_000));
    expect(iopsAtBlockSize(none, 65_536)).toBe(Number.POSITIVE_INFINITY);
  });
});
