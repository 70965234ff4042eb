/** What is too much is refused, and what was taken is done. */
import { openPlane } from 'sealdisk';
import { expect, it } from 'vitest';
import { CONTROL_CALLS_MAX, QUEUE_REQUESTS_MAX, RING_SLOTS } from '../../src/limits.ts';

async function outcomes(calls: readonly Promise<unknown>[]): Promise<Map<string, number>> {
  const counted = new Map<string, number>();
  for (const outcome of await Promise.allSettled(calls)) {
    const name =
      outcome.status === 'fulfilled' ? 'done' : (outcome.reason as { code: string }).code;
    counted.set(name, (counted.get(name) ?? 0) + 1);
  }
  return counted;
}

it('control calls beyond the bound are refused as Busy, and no others', async () => {
  await using plane = await openPlane({ memory: true, shards: 1 });
  const calls = Array.from({ length: CONTROL_CALLS_MAX + 100 }, () =>
    plane.call('DescribeRegions', {}),
  );
  expect(await outcomes(calls)).toEqual(
    new Map([
      ['done', CONTROL_CALLS_MAX],
      ['Busy', 100],
    ]),
  );
  expect((await plane.call('DescribeRegions', {})).Regions.length).toBeGreaterThan(0);
});

it('requests to a disk beyond ring and queue are refused as Busy, and no others', async () => {
  await using plane = await openPlane({ memory: true, shards: 1 });
  const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
  await using disk = await plane.attach(DiskId);
  const into = new Uint8Array(4096);
  const count = QUEUE_REQUESTS_MAX + RING_SLOTS + 100;
  // All in one tick: nothing settles in between.
  const counted = await outcomes(Array.from({ length: count }, () => disk.read(0, into)));
  expect([...counted.keys()].sort()).toEqual(['Busy', 'done']);
  expect(counted.get('done')).toBeGreaterThanOrEqual(QUEUE_REQUESTS_MAX);
  expect(await disk.read(0, 4096)).toEqual(new Uint8Array(4096));
});
