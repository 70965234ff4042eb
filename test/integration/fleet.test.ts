/** simulateFleet() of the library: threads, progress, an end before the end. */
import { simulateFleet } from 'sealdisk';
import { expect, test } from 'vitest';

const SMALL = { duration: '1m', load: { iopsPerDisk: 20 }, disks: [{ count: 30 }] } as const;

test('tells how far it is, up to the whole, on more threads than there is work for', async () => {
  const shares: number[] = [];
  const onProgress = (share: number, requests: number): void => {
    expect(requests).toBeGreaterThanOrEqual(0);
    shares.push(share);
  };
  const one = { ...SMALL, disks: [{ count: 1 }] };
  const { report, disk, series } = await simulateFleet(one, { threads: 5, onProgress });
  expect(shares).toEqual([1]);
  expect(report.fleet.disks).toBe(1);
  expect(disk(0).requests).toBe(report.fleet.requests);
  expect(series).toHaveLength(60);
  await simulateFleet(SMALL, { threads: 3, onProgress });
  expect(shares.slice(1)).toEqual(shares.slice(1).toSorted((a, b) => a - b));
  expect(shares.at(-1)).toBeCloseTo(1, 12);
});

test('ends when it is asked to, before or while it runs', async () => {
  const stopped = { signal: AbortSignal.abort(new Error('not at all')) };
  await expect(simulateFleet(SMALL, stopped)).rejects.toThrow('not at all');
  const stopping = new AbortController();
  const year = { ...SMALL, duration: '365d' };
  const running = simulateFleet(year, { threads: 2, signal: stopping.signal });
  setTimeout(() => stopping.abort(new Error('enough')), 500);
  await expect(running).rejects.toThrow('enough');
});

test('refuses what makes no sense with a code, before any thread is started', async () => {
  const refusal = simulateFleet({ disks: [{ count: 1, category: 'cloud_floppy' }] });
  await expect(refusal).rejects.toMatchObject({ code: 'InvalidArgument' });
});
