import { expect, test } from 'vitest';
import { MIB } from '../../../src/base/units.ts';
import { createLibraryTarget } from '../../../src/load/target-library.ts';
import { planeDouble, runJobs } from './doubles.ts';

async function disksOf(double: ReturnType<typeof planeDouble>) {
  return (await double.plane.call('DescribeDisks', { PageSize: 1000 })).Disks;
}

test('a disk is made of whole GiB, encrypted or plain as asked, and attached', async () => {
  const double = planeDouble();
  const disk = await createLibraryTarget(double.plane, true).openDisk('a', 3 * MIB);
  await createLibraryTarget(double.plane, false).openDisk('b', 1025 * MIB);
  expect(
    (await disksOf(double)).map(({ Size, Encrypted, DiskName }) => [Size, Encrypted, DiskName]),
  ).toEqual([
    [1, true, 'load:a'],
    [2, false, 'load:b'],
  ]);
  expect([disk.isFresh, disk.sizeBytes, double.attached.size]).toEqual([true, 1024 * MIB, 2]);
});

test('bytes go through', async () => {
  const target = createLibraryTarget(planeDouble().plane, true);
  const disk = await target.openDisk('a', MIB);
  await disk.write(512, Uint8Array.of(1, 2, 3));
  await disk.trim(513, 1);
  await disk.flush();
  const into = new Uint8Array(4);
  await disk.read(511, into);
  expect([...into]).toEqual([0, 1, 0, 3]);
  expect(target.keepsBytes).toBe(true);
});

test('a disk of that name and kind is found again, among many, and is not fresh', async () => {
  const double = planeDouble();
  for (let other = 0; other < 150; other++) {
    await double.plane.call('CreateDisk', { Size: 1, DiskName: `other-${other}`, Encrypted: true });
  }
  const first = await createLibraryTarget(double.plane, true).openDisk('a', MIB);
  await first.write(0, Uint8Array.of(9));
  const again = await createLibraryTarget(double.plane, true).openDisk('a', MIB);
  const into = new Uint8Array(1);
  await again.read(0, into);
  expect([first.isFresh, again.isFresh, into[0]]).toEqual([true, false, 9]);
  const plain = await createLibraryTarget(double.plane, false).openDisk('a', MIB);
  expect(plain.isFresh).toBe(true);
  expect(await disksOf(double)).toHaveLength(152);
});

test('a disk that is there and too small is refused', async () => {
  const double = planeDouble();
  await createLibraryTarget(double.plane, true).openDisk('a', MIB);
  const opening = createLibraryTarget(double.plane, true).openDisk('a', 1025 * MIB);
  await expect(opening).rejects.toThrow(
    'InvalidArgument: disk load:a is there with 1 GiB, the load needs 2',
  );
});

test('names the cloud would not take are changed, each to its own', async () => {
  const double = planeDouble();
  const target = createLibraryTarget(double.plane, true);
  for (const name of ['/dev/sdb', '/dev?sdb', 'x'.repeat(200)]) await target.openDisk(name, MIB);
  const names = (await disksOf(double)).map(({ DiskName }) => DiskName);
  expect(new Set(names).size).toBe(3);
  for (const name of names) expect(name).toMatch(/^[A-Za-z][A-Za-z0-9._:-]{1,127}$/);
});

test('close detaches what is still attached and leaves the plane open', async () => {
  const double = planeDouble();
  const target = createLibraryTarget(double.plane, true);
  await target.openDisk('a', MIB);
  const second = await target.openDisk('b', MIB);
  await second.close();
  await target.close();
  expect(double.attached.size).toBe(0);
});

const BUFFERED_JOB = '[a]\nrw=randrw\nsize=1m\nbs=4k\niodepth=8\n';

test('the buffers of a job are registered while it runs, and let go when it ends', async () => {
  const double = planeDouble();
  const [result] = await runJobs(BUFFERED_JOB, createLibraryTarget(double.plane, true));
  expect(result?.run.error).toBeNull();
  // Each of 8 slots has a buffer to read into and one to write from; laying out had its own.
  expect(double.released).toBeGreaterThanOrEqual(16);
  expect(double.registered.size).toBe(0);
});

test('a job runs all the same where no more buffers can be registered', async () => {
  const double = planeDouble();
  double.isRegistryFull = true;
  const [result] = await runJobs(BUFFERED_JOB, createLibraryTarget(double.plane, true));
  expect(result?.run.error).toBeNull();
  expect(result?.run.stats.requests()).toBeGreaterThan(0);
  expect(double.released).toBe(0);
});
