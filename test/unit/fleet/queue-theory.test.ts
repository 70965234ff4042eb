/**
 * The simulation against queueing theory, where there are formulas for what it does. Seeds are
 * fixed; tolerances are three standard errors or more, correlation of successive waits included.
 */
import { describe, expect, test } from 'vitest';
import { bucketOf } from '../../../src/fleet/latency-buckets.ts';
import { PACING_BUCKET_US } from '../../../src/limits.ts';
import { simulate } from './simulate.ts';

const OPEN = {
  arrivals: 'poisson',
  queueDepth: 0,
  blockSizes: [{ size: 4096, percent: 100 }],
} as const;
/** A disk that does one request at a time. */
const SERVER = { count: 1, category: 'unlimited', encrypted: false, serial: true } as const;
const SERVICE_US = 1000;

/** P(wait <= x) of M/D/1, in service times (Erlang 1909; Crommelin 1932). */
function waitOfMD1(load: number, x: number): number {
  let sum = 0;
  let factorial = 1;
  for (let k = 0; k <= Math.floor(x); k++) {
    if (k > 0) factorial *= k;
    const reach = load * (k - x);
    sum += (reach ** k / factorial) * Math.exp(-reach);
  }
  return (1 - load) * sum;
}

describe('a serial disk with requests of equal length is an M/D/1 queue', () => {
  test.each([0.5, 0.8])('at a load of %s', (load) => {
    const { figures, totals } = simulate({
      duration: 700,
      load: { ...OPEN, iopsPerDisk: load * 1000 },
      disks: [{ ...SERVER, latency: 'constant', latencyMicroseconds: SERVICE_US }],
    });
    const mean = 1 + load / (2 * (1 - load));
    expect(Math.abs(figures.latencyMicroseconds.mean / SERVICE_US / mean - 1)).toBeLessThan(0.02);
    const { reads, writes } = totals.latencies[0]!;
    for (const wait of [0.5, 1, 2, 3.5, 5]) {
      const last = bucketOf((1 + wait) * SERVICE_US);
      let within = 0;
      for (let bucket = 0; bucket <= last; bucket++) within += reads[bucket]! + writes[bucket]!;
      // A bucket is 1.6 % of its value wide.
      expect(Math.abs(within / figures.requests - waitOfMD1(load, wait))).toBeLessThan(0.02);
    }
  });
});

describe('a serial disk with exponential requests is an M/M/1 queue', () => {
  test.each([0.5, 0.8])('at a load of %s', (load) => {
    const { figures } = simulate({
      duration: 1000,
      load: { ...OPEN, iopsPerDisk: load * 1000 },
      disks: [{ ...SERVER, latency: 'exponential', latencyMicroseconds: SERVICE_US }],
    });
    // Time in the system is exponential with mean 1 / (service rate - arrival rate).
    const mean = SERVICE_US / (1 - load);
    const { mean: measured, p50, p99 } = figures.latencyMicroseconds;
    expect(Math.abs(measured / mean - 1)).toBeLessThan(0.03);
    expect(Math.abs(p50 / (Math.LN2 * mean) - 1)).toBeLessThan(0.03);
    expect(Math.abs(p99 / (Math.log(100) * mean) - 1)).toBeLessThan(0.05);
  });
});

test('limits hold back what an M/D/1 queue would, beyond what their bucket saves up', () => {
  const iops = 2500;
  const load = 0.9;
  const { figures } = simulate({
    duration: 500,
    load: { ...OPEN, iopsPerDisk: load * iops },
    disks: [{ count: 1, category: 'unlimited', encrypted: false, iops }],
  });
  // The work a request finds before it is the wait of M/D/1; it waits for what the bucket lacks.
  const bucket = PACING_BUCKET_US / (1e6 / iops);
  const throttled = 1 - waitOfMD1(load, bucket);
  expect(Math.abs(figures.throttledShare / throttled - 1)).toBeLessThan(0.06);
  let mean = 0;
  for (let x = bucket; x < bucket + 60; x += 0.05) mean += 0.05 * (1 - tailSafe(load, x + 0.025));
  const measured = (figures.throttledMicroseconds.mean * figures.throttledShare * iops) / 1e6;
  expect(Math.abs(measured / mean - 1)).toBeLessThan(0.1);
});

/** The alternating sum loses its digits beyond some 15 service times: the tail is exponential. */
function tailSafe(load: number, x: number): number {
  if (x <= 15) return waitOfMD1(load, x);
  const [a, b] = [1 - waitOfMD1(load, 14), 1 - waitOfMD1(load, 15)];
  return 1 - b * (b / a) ** (x - 15);
}

describe('asked for twice what it has, a fleet does what it has', () => {
  const busy = { ...OPEN, queueDepth: 64 } as const;

  test('of the IOPS of a disk, whatever the arrivals', () => {
    for (const arrivals of ['poisson', 'bursty'] as const) {
      const load = { ...busy, arrivals, iopsPerDisk: 13_600, onShare: 0.9 };
      const { figures } = simulate({ duration: 20, load, disks: [{ count: 2, size: '100G' }] });
      // ESSD PL1 of 100 GiB: 1,800 + 50 x 100.
      expect(Math.abs(figures.iops / (2 * 6800) - 1)).toBeLessThan(
        arrivals === 'poisson' ? 0.005 : 0.12,
      );
      expect(figures.throttledShare).toBeGreaterThan(0.9);
    }
  });

  test('of the bytes a second of a disk', () => {
    const blockSizes = [{ size: '64k', percent: 100 }];
    const load = { ...busy, blockSizes, iopsPerDisk: 5440 };
    const { figures } = simulate({ duration: 20, load, disks: [{ count: 2, size: 100 }] });
    // 120 + 0.5 x 100 MB/s, of 2^20 bytes.
    expect(Math.abs(figures.bytesPerSecond / (2 * 170 * 2 ** 20) - 1)).toBeLessThan(0.005);
  });

  test('of the limits of an instance its disks share', () => {
    const instance = { disks: 4, iops: 2000 };
    const load = { ...busy, iopsPerDisk: 1000 };
    const { figures, totals } = simulate({ duration: 20, load, disks: [{ count: 10, instance }] });
    // Two whole instances, and one of two disks that have as much for themselves.
    expect(Math.abs(figures.iops / 6000 - 1)).toBeLessThan(0.01);
    expect(totals.rows.length).toBeGreaterThan(0);
  });

  test('bursting, with what is beyond the baseline counted', () => {
    const load = { ...busy, iopsPerDisk: 8000 };
    const disk = { count: 1, category: 'cloud_auto', size: 10, bursting: true } as const;
    const { figures } = simulate({ duration: 20, load, disks: [disk] });
    // 1,000 x 10 IOPS in a burst, 3,000 without: what is asked for is done.
    expect(Math.abs(figures.iops / 8000 - 1)).toBeLessThan(0.02);
    expect(Math.abs(figures.burstRequests / 20 / 5000 - 1)).toBeLessThan(0.03);
    const plain = simulate({ duration: 20, load, disks: [{ ...disk, bursting: false }] }).figures;
    expect(Math.abs(plain.iops / 3000 - 1)).toBeLessThan(0.005);
    expect(plain.burstRequests).toBe(0);
  });
});

describe('encryption', () => {
  const disks = { count: 4, category: 'unlimited', latencyMicroseconds: 100 } as const;

  test('adds its cost to every request of an idle disk, and changes nothing else', () => {
    const load = { ...OPEN, iopsPerDisk: 2 };
    const encryption = { nanosecondsPerByte: 0.5, nanosecondsPerRequest: 1000 };
    const run = (encrypted: boolean) =>
      simulate({ duration: 600, load, encryption, disks: [{ ...disks, encrypted }] }).figures;
    const [encrypted, plain] = [run(true), run(false)];
    expect(encrypted.requests).toBe(plain.requests);
    const added = encrypted.latencyMicroseconds.mean - plain.latencyMicroseconds.mean;
    expect(Math.abs(added - (1 + 4096 * 0.0005))).toBeLessThan(0.01);
  });

  test('is done one request at a time on each host: an M/D/1 queue on top of the latency', () => {
    const load = { ...OPEN, iopsPerDisk: 175 };
    const encryption = { nanosecondsPerRequest: 1e6, nanosecondsPerByte: 0 };
    const instance = { disks: 4 };
    const { figures } = simulate({
      duration: 700,
      load,
      encryption,
      disks: [{ ...disks, instance }],
    });
    const mean = 1 + 0.7 / (2 * (1 - 0.7));
    const measured = (figures.latencyMicroseconds.mean - 100) / 1000;
    expect(Math.abs(measured / mean - 1)).toBeLessThan(0.02);
  });
});

test('a source that may have only so many in flight waits, and its requests with it', () => {
  const load = { ...OPEN, iopsPerDisk: 5000, queueDepth: 8 };
  const disks = [{ count: 1, category: 'unlimited', encrypted: false, latencyMicroseconds: 4000 }];
  const { figures } = simulate({ duration: 60, load, disks });
  // Eight at a time, each for 4 ms, and a gap of 0.2 ms now and then.
  expect(figures.iops).toBeLessThanOrEqual(2000);
  expect(figures.iops).toBeGreaterThan(1700);
  expect(figures.heldShare).toBeGreaterThan(0.7);
  expect(figures.latencyMicroseconds.max).toBeLessThan(8200);
});
