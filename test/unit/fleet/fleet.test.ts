import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { busiestDisks, digestOf, diskFigures, spreadOf } from '../../../src/fleet/fleet-figures.ts';
import { type FleetInput, readFleet } from '../../../src/fleet/fleet-options.ts';
import { planFleet } from '../../../src/fleet/fleet-plan.ts';
import { FleetTotals } from '../../../src/fleet/fleet-totals.ts';
import { REQUESTS } from '../../../src/fleet/instance-run.ts';
import { simulatePart } from '../../../src/fleet/part-run.ts';
import { simulate } from './simulate.ts';

const MIXED: FleetInput = {
  seed: 7,
  duration: '2m',
  load: { iopsPerDisk: 20, zipf: 1, diurnal: 0.5 },
  disks: [
    { count: 40, size: '20G', instance: { disks: 3, iops: 500, bytesPerSecond: '20M' } },
    { count: 25, category: 'cloud_auto', size: 40, bursting: true, load: { iopsPerDisk: 200 } },
    { count: 10, category: 'cloud_ssd', size: 50, encrypted: false, load: { tail: 0 } },
    { count: 5, category: 'unlimited', latency: 'exponential', latencyMicroseconds: 90 },
  ],
};

const MIXED_RESULT = simulate(MIXED);

/** All there is in totals, as hashes. */
function bytesOf({ rows, series, latencies }: FleetTotals): string[] {
  const counts = latencies.flatMap(({ reads, writes, waits }) => [reads, writes, waits]);
  return [rows, series, ...counts].map((array) =>
    createHash('sha256').update(new Uint8Array(array.buffer)).digest('hex'),
  );
}

describe('one input has one result', () => {
  test('which is this, on every machine and every version of Node', () => {
    const { figures, totals } = MIXED_RESULT;
    expect(figures.requests).toBe(384_318);
    expect(digestOf(totals)).toBe('b56e2d7b76a56590');
  });

  test('whatever the order in which parts come', () => {
    const { plan, totals, series } = MIXED_RESULT;
    const backwards = new FleetTotals(plan);
    for (const part of plan.parts.toReversed()) {
      expect(backwards.isComplete()).toBe(false);
      backwards.add(simulatePart(plan, part));
    }
    expect(backwards.isComplete()).toBe(true);
    expect(bytesOf(backwards)).toEqual(bytesOf(totals));
    expect(series.length).toBe(plan.steps);
  });

  test('and another seed another', () => {
    const other = simulate({ ...MIXED, seed: 8 });
    expect(digestOf(other.totals)).not.toBe(digestOf(MIXED_RESULT.totals));
  });

  test('and a disk the same result among more disks that share nothing with it', () => {
    const disks = [{ count: 3, category: 'cloud_essd', size: 20 }];
    const more = [...disks, { count: 300, category: 'cloud_ssd', size: 20 }];
    const duration = 300;
    const few = simulate({ duration, disks });
    const many = simulate({ duration, disks: more });
    for (let disk = 0; disk < 3; disk++) {
      expect(diskFigures(many.plan, many.totals, disk)).toEqual(
        diskFigures(few.plan, few.totals, disk),
      );
    }
  });
});

describe('a plan', () => {
  test('gives every disk to one part, and every instance whole', () => {
    const counts = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 9 }), (kinds, together) => {
        const disks = kinds.map((count) => ({ count, instance: { disks: together } }));
        const { parts, diskCount } = planFleet(readFleet({ disks }, 'test'));
        let next = 0;
        for (const part of parts) {
          const first = kinds.slice(0, part.kind).reduce((sum, count) => sum + count, 0);
          expect(first + part.from).toBe(next);
          expect(part.from % together).toBe(0);
          next = first + part.to;
        }
        expect(next).toBe(diskCount);
        expect(parts.length).toBeLessThan(300);
      }),
      { numRuns: 30 },
    );
  });

  test('has the limits an instance type is published with, but for what is said', () => {
    const limits = (instance: object) => {
      const disks = [{ count: 4, instance: { disks: 2, ...instance } }];
      const profile = planFleet(readFleet({ disks }, 'test')).kinds[0]!.instanceProfile;
      return profile === null ? null : [profile.iops, profile.bytesPerSecond];
    };
    expect(limits({ type: 'ecs.g7.large' })).toEqual([20_000, 187_500_000]);
    expect(limits({ type: 'ecs.g7.large', iops: 500 })).toEqual([500, 187_500_000]);
    expect(limits({ bytesPerSecond: '1M' })).toEqual([Number.POSITIVE_INFINITY, 1_048_576]);
    expect(limits({})).toBeNull();
  });

  test('spreads rates by zipf, whose mean is what was asked for', () => {
    const disks = [{ count: 500, load: { zipf: 0.8, iopsPerDisk: 3 } }];
    const { rates } = planFleet(readFleet({ disks }, 'test')).kinds[0]!;
    const sorted = [...rates].sort((a, b) => b - a);
    expect(sorted.reduce((sum, rate) => sum + rate, 0) * 1e6).toBeCloseTo(1500, 6);
    for (const rank of [2, 10, 500]) {
      expect(sorted[0]! / sorted[rank - 1]!).toBeCloseTo(rank ** 0.8, 8);
    }
    expect(sorted).not.toEqual([...rates]);
  });

  test('counts time in steps of which there are not too many', () => {
    for (const [duration, step, steps] of [
      ['90s', 1, 90],
      ['1h', 10, 360],
      ['1d', 60, 1440],
      ['365d', 86_400, 365],
    ] as const) {
      const plan = planFleet(readFleet({ duration, disks: [{ count: 1 }] }, 'test'));
      expect([plan.stepUs / 1e6, plan.steps]).toEqual([step, steps]);
    }
  });
});

describe('figures', () => {
  const { plan, totals, figures, series } = MIXED_RESULT;

  test('of the disks add up to those of the fleet', () => {
    const disks = Array.from({ length: 80 }, (_, disk) => diskFigures(plan, totals, disk));
    const sum = (of: (disk: (typeof disks)[number]) => number): number =>
      disks.reduce((total, disk) => total + of(disk), 0);
    expect(sum((disk) => disk.requests)).toBe(figures.requests);
    expect(sum((disk) => disk.iops)).toBeCloseTo(figures.iops, 6);
    expect(sum((disk) => disk.bytes) / 120).toBeCloseTo(figures.bytesPerSecond, 3);
    expect(disks.map((disk) => disk.kind)).toEqual([
      ...new Array<number>(40).fill(0),
      ...new Array<number>(25).fill(1),
      ...new Array<number>(10).fill(2),
      ...new Array<number>(5).fill(3),
    ]);
  });

  test('of the time series add up to those of the fleet', () => {
    const mean = series.reduce((sum, { iops }) => sum + iops, 0) / series.length;
    expect(mean).toBeCloseTo(figures.iops, 6);
    const bytes = series.reduce((sum, step) => sum + step.bytesPerSecond, 0) / series.length;
    expect(bytes).toBeCloseTo(figures.bytesPerSecond, 3);
  });

  test('name the busiest disks first, and spread over the disks by rank', () => {
    const busiest = busiestDisks(totals, 10).map(
      (disk) => diskFigures(plan, totals, disk).requests,
    );
    expect(busiest).toEqual(busiest.toSorted((a, b) => b - a));
    const spread = spreadOf(totals, (row) => row[REQUESTS]!);
    expect(spread.max).toBe(busiest[0]);
    expect(spread.p10).toBeLessThanOrEqual(spread.p50);
    expect(spread.p50).toBeLessThan(spread.p99);
  });

  test('of no request at all are zeros, not accidents', () => {
    const idle = simulate({ load: { iopsPerDisk: 0 }, disks: [{ count: 2 }] });
    expect(JSON.stringify(idle.figures)).not.toContain('null');
    expect(idle.figures.requests).toBe(0);
    expect(diskFigures(idle.plan, idle.totals, 1).throttledShare).toBe(0);
  });
});

describe('what makes no sense is refused by its place', () => {
  const refusal = (input: unknown): string => {
    try {
      planFleet(readFleet(input, 'x.yaml'));
      return 'taken';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const disk = (more: object): object => ({ disks: [{ count: 1, ...more }] });

  test.each([
    [{}, 'x.yaml: disks'],
    [{ disks: [] }, 'x.yaml: disks'],
    [disk({ count: 0 }), 'x.yaml: disks[0].count'],
    [disk({ colour: 'red' }), 'x.yaml: disks[0].colour'],
    [disk({ size: '10 bananas' }), 'x.yaml: disks[0].size: expected whole GiB'],
    [{ ...disk({}), duration: 'soon' }, 'x.yaml: duration: expected a time'],
    [{ ...disk({}), seed: -1 }, 'x.yaml: seed'],
    [{ ...disk({}), load: { blockSizes: [{ size: '4k', percent: 99 }] } }, 'add up to 100'],
    [{ ...disk({}), load: { tail: 0.5 } }, 'x.yaml: load.tail'],
    [disk({ category: 'cloud_floppy' }), 'disks[0]: category: expected unlimited, cloud_essd'],
    [disk({ performanceLevel: 'PL9' }), 'expected PL0, PL1, PL2, PL3'],
    [disk({ category: 'cloud_ssd', performanceLevel: 'PL1' }), 'is for cloud_essd'],
    [disk({ bursting: true }), 'bursting is for cloud_auto'],
    [disk({ provisionedIops: 5 }), 'provisionedIops is for cloud_auto'],
    [disk({ category: 'cloud_auto', size: 4, provisionedIops: 9999 }), 'at most 1000 at 4 GiB'],
    [null, 'x.yaml'],
  ])('%j', (input, expected) => {
    expect(refusal(input)).toContain(expected);
  });

  test('an instance type nobody knows', () => {
    const instance = { disks: 2, type: 'ecs.x9.large' };
    expect(refusal(disk({ instance }))).toMatch(
      /disks\[0\]: instance.type: expected ecs.g7.large, .*, got 'ecs.x9.large'/,
    );
  });

  test('what makes sense is not', () => {
    expect(refusal(MIXED)).toBe('taken');
    expect(readFleet(disk({ size: '2T' }), 'x').disks[0]?.size).toBe(2048);
    expect(readFleet({ ...disk({}), duration: '1.5h' }, 'x').duration).toBe(5400);
  });
});
