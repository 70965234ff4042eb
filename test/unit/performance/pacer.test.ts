/**
 * The pacer against what its head promises: rates, the bucket, order, latency, independence.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { KIB, MIB } from '../../../src/base/units.ts';
import { PACING_BUCKET_US, PACING_BUSY_BUCKET_US } from '../../../src/limits.ts';
import { DiskPacer } from '../../../src/performance/pacer.ts';
import { type PerformanceProfile, profileOf } from '../../../src/performance/profile.ts';

const SECOND = 1_000_000;
const MANY = 50_000;

const profile = (changes: Partial<PerformanceProfile> = {}): PerformanceProfile => ({
  iops: 6_800,
  bytesPerSecond: 170 * MIB,
  latencyMicroseconds: { average: 200, spread: 0 },
  burst: null,
  blockSizes: [],
  ...changes,
});

/** Starts of requests that all wait from the beginning. */
function backlog(pacer: DiskPacer, count: number, bytes: number): number[] {
  return Array.from({ length: count }, () => {
    pacer.admit(0, bytes, 0.5);
    return pacer.startedAt;
  });
}

/** Requests a second, once what was saved up is gone. */
function rateOf(starts: readonly number[]): number {
  const from = starts.findIndex((start) => start > 0);
  const elapsed = (starts.at(-1) as number) - (starts[from] as number);
  return ((starts.length - 1 - from) / elapsed) * SECOND;
}

describe('the rate of a backlog, in the long run', () => {
  it.each([
    [300, 30],
    [1_000, 4_000],
    [6_800, 170],
    [50_000, 350],
    [200_000, 4_000],
    [999_983, 4_096],
  ])('of 4 KiB is %i IOPS to a millionth', (iops, mbs) => {
    const pacer = new DiskPacer(profile({ iops, bytesPerSecond: mbs * MIB }), 0);
    const rate = rateOf(backlog(pacer, MANY, 4 * KIB));
    expect(Math.abs(rate / iops - 1)).toBeLessThan(1e-6);
  });

  it.each([30, 140, 170.5, 4_096])('of 256 KiB is %d MB/s to a millionth', (mbs) => {
    const pacer = new DiskPacer(profile({ iops: 100_000, bytesPerSecond: mbs * MIB }), 0);
    const rate = rateOf(backlog(pacer, MANY, 256 * KIB)) * 256 * KIB;
    expect(Math.abs(rate / (mbs * MIB) - 1)).toBeLessThan(1e-6);
  });

  it.each([
    [4, 25_000],
    [16, 17_200],
    [32, 9_600],
    [64, 4_800],
    [256, 1_200],
  ])('of %i KiB on a large standard SSD is %i IOPS to a millionth', (kib, iops) => {
    const ssd = profileOf({
      category: 'cloud_ssd',
      performanceLevel: '',
      sizeGiB: 2_000,
      provisionedIops: 0,
      bursting: false,
    });
    const rate = rateOf(backlog(new DiskPacer(ssd, 0), MANY, kib * KIB));
    expect(Math.abs(rate / iops - 1)).toBeLessThan(1e-6);
  });
});

/** Gaps between arrivals in microseconds, and bytes. */
const arrivals = fc.array(
  fc.tuple(
    fc.oneof(fc.constant(0), fc.double({ min: 0, max: 40_000, noNaN: true })),
    fc.integer({ min: 0, max: 1_024 }).map((kib) => kib * KIB),
  ),
  { minLength: 1, maxLength: 300 },
);
const anyProfile = fc
  .record({
    iops: fc.integer({ min: 100, max: 1_000_000 }),
    bytesPerSecond: fc.integer({ min: MIB, max: 4_096 * MIB }),
    spread: fc.integer({ min: 0, max: 200 }),
  })
  .map(({ iops, bytesPerSecond, spread }) =>
    profile({ iops, bytesPerSecond, latencyMicroseconds: { average: 200, spread } }),
  );

interface Started {
  readonly at: number;
  readonly start: number;
  readonly done: number;
  readonly bytes: number;
}

function run(pacer: DiskPacer, gaps: readonly (readonly [number, number])[]): Started[] {
  let at = 0;
  return gaps.map(([gap, bytes], index) => {
    at += gap;
    const done = pacer.admit(at, bytes, (index % 7) / 7);
    return { at, start: pacer.startedAt, done, bytes };
  });
}

it('the latencies of a range are spread evenly over it', () => {
  const latencyMicroseconds = { average: 400, spread: 100 };
  const pacer = new DiskPacer(profile({ iops: 1_000_000, latencyMicroseconds }), 0);
  const { nextFloat } = createPrng(7);
  const took = Array.from({ length: 20_000 }, (_, at) => {
    return pacer.admit(at * 10, 512, nextFloat()) - at * 10;
  }).sort((one, other) => one - other);
  // Order statistics: four standard deviations of the median are 2.8.
  for (const part of [0.01, 0.1, 0.5, 0.9, 0.99]) {
    expect(Math.abs(took[20_000 * part]! - (300 + 200 * part))).toBeLessThan(3);
  }
});

describe('whatever arrives', () => {
  it('starts in the order it arrives, not before, and is done after its latency', () => {
    const check = fc.property(anyProfile, arrivals, (figures, gaps) => {
      const { average, spread } = figures.latencyMicroseconds;
      let before = 0;
      for (const { at, start, done } of run(new DiskPacer(figures, 0), gaps)) {
        expect(start).toBeGreaterThanOrEqual(at);
        expect(start).toBeGreaterThanOrEqual(before);
        expect(done - start).toBeGreaterThanOrEqual(average - spread - 1e-6);
        expect(done - start).toBeLessThan(average + spread + 1e-6);
        before = start;
      }
    });
    fc.assert(check);
  });

  it('never starts more in any time than its rates and the bucket allow, and one more', () => {
    const check = fc.property(anyProfile, arrivals, (figures, gaps) => {
      const started = run(new DiskPacer(figures, 0), gaps);
      const isTooMany = started.some((from, first) => {
        let operations = 0;
        let bytes = 0;
        return started.slice(first).some((to) => {
          const seconds = (to.start - from.start + PACING_BUSY_BUCKET_US) / SECOND;
          // The last one's tokens may be owed.
          const isOver =
            operations > figures.iops * seconds + 1e-3 ||
            bytes > figures.bytesPerSecond * seconds + 1;
          operations++;
          bytes += to.bytes;
          return isOver;
        });
      });
      expect(isTooMany).toBe(false);
    });
    fc.assert(check, { numRuns: 50 });
  });

  it('starts at once on a disk that has nothing to do', () => {
    const check = fc.property(anyProfile, arrivals, (figures, gaps) => {
      const pacer = new DiskPacer(figures, 0);
      const last = run(pacer, gaps).at(-1) as Started;
      const cost = SECOND / figures.iops + (last.bytes / figures.bytesPerSecond) * SECOND;
      const later = last.start + cost + 1;
      pacer.admit(later, 4 * KIB, 0);
      expect(pacer.startedAt).toBe(later);
    });
    fc.assert(check);
  });

  it('waits for nothing that another disk does', () => {
    const check = fc.property(anyProfile, arrivals, arrivals, (figures, gaps, otherGaps) => {
      const alone = run(new DiskPacer(figures, 0), gaps);
      const other = new DiskPacer(figures, 0);
      run(other, otherGaps);
      expect(run(new DiskPacer(figures, 0), gaps)).toEqual(alone);
    });
    fc.assert(check, { numRuns: 20 });
  });
});

describe('an idle disk', () => {
  it('saves up what the bucket holds, and no more however long it idles', () => {
    for (const idle of [PACING_BUCKET_US, 10 * PACING_BUCKET_US, 3_600 * SECOND]) {
      const pacer = new DiskPacer(profile({ iops: 10_000 }), 0);
      let atOnce = 0;
      for (; ; atOnce++) {
        pacer.admit(idle, 512, 0);
        if (pacer.startedAt > idle) break;
      }
      expect(atOnce).toBe(PACING_BUCKET_US / 100 + 1);
    }
  });

  it('has saved up nothing when it is opened', () => {
    const pacer = new DiskPacer(profile({ iops: 1_000 }), 5 * SECOND);
    pacer.admit(5 * SECOND, 512, 0);
    pacer.admit(5 * SECOND, 512, 0);
    expect(pacer.startedAt).toBe(5 * SECOND + 1_000);
  });
});

describe('a disk whose callers had to wait', () => {
  /** How many requests start at once at a moment. */
  const atOnce = (pacer: DiskPacer, now: number): number => {
    for (let count = 0; ; count++) {
      pacer.admit(now, 512, 0);
      if (pacer.startedAt > now) return count;
    }
  };
  const waitedFor = (): DiskPacer => {
    const pacer = new DiskPacer(profile({ iops: 10_000 }), 0);
    backlog(pacer, 2, 512);
    return pacer;
  };

  it('makes up for all they could not ask for, as long as that is less than the limit', () => {
    // The second has its tokens at 200.
    for (const late of [300, 5_000, PACING_BUSY_BUCKET_US - 100]) {
      expect(atOnce(waitedFor(), 200 + late)).toBe(late / 100 + 1);
    }
  });

  it('makes up for it whichever rate they waited for', () => {
    const blockSizes = [{ bytes: 16 * KIB, iops: 1_000 }];
    const pacer = new DiskPacer(profile({ iops: 10_000, blockSizes }), 0);
    backlog(pacer, 1_000, 16 * KIB);
    // Of tokens for operations there are many by then; the next for its size is there at a second.
    const now = SECOND + 50_000;
    let count = 0;
    for (; ; count++) {
      pacer.admit(now, 16 * KIB, 0);
      if (pacer.startedAt > now) break;
    }
    expect(count).toBe(51);
  });

  it('was idle if it is more than that', () => {
    for (const late of [PACING_BUSY_BUCKET_US + 1, 3_600 * SECOND]) {
      expect(atOnce(waitedFor(), 200 + late)).toBe(PACING_BUCKET_US / 100 + 1);
    }
  });

  it('is an idle one again when it has had less to do for a while', () => {
    const pacer = waitedFor();
    // One in a millisecond: a tenth of what it can do.
    for (let at = 1_000; at < SECOND; at += 1_000) pacer.admit(at, 512, 0);
    expect(atOnce(pacer, SECOND)).toBe(PACING_BUCKET_US / 100 + 1);
  });
});

describe('a disk that changes', () => {
  it('goes on at its new rates, after what it has admitted', () => {
    const pacer = new DiskPacer(profile({ iops: 1_000 }), 0);
    const last = backlog(pacer, 100, 512).at(-1) as number;
    expect(last).toBe(99_000);
    pacer.change(profile({ iops: 10_000, latencyMicroseconds: { average: 50, spread: 0 } }));
    expect(pacer.admit(0, 512, 0)).toBe(100_050);
    pacer.admit(0, 512, 0);
    expect(pacer.startedAt).toBe(100_100);
  });
});

describe('a flush', () => {
  it('takes the latency of the disk, and no tokens', () => {
    const pacer = new DiskPacer(profile({ iops: 1_000 }), 0);
    expect(pacer.admitFlush(0, 0)).toBe(200);
    expect(pacer.admitFlush(0, 0)).toBe(200);
    pacer.admit(0, 512, 0);
    expect(pacer.startedAt).toBe(0);
  });
});

describe('a disk that bursts', () => {
  const burst = { iops: 40_000, bytesPerSecond: 625 * MIB };

  it('has the higher rates, and counts what the lower ones would not have done', () => {
    const pacer = new DiskPacer(profile({ iops: 3_800, burst }), 0);
    const starts = backlog(pacer, MANY, 4 * KIB);
    expect(Math.abs(rateOf(starts) / 40_000 - 1)).toBeLessThan(1e-6);
    const seconds = MANY / 40_000;
    expect(Math.abs(pacer.burstOperations - seconds * (40_000 - 3_800))).toBeLessThan(2);
  });

  it('counts nothing while it stays below the lower ones', () => {
    const pacer = new DiskPacer(profile({ iops: 3_800, burst }), 0);
    for (let at = 0; at < SECOND; at += 1_000) pacer.admit(at, 4 * KIB, 0);
    expect(pacer.burstOperations).toBe(0);
  });
});
