import { describe, expect, test } from 'vitest';
import { MIB } from '../../../src/base/units.ts';
import { readJobFile } from '../../../src/load/job.ts';
import { planRun } from '../../../src/load/job-plan.ts';
import { JobRun } from '../../../src/load/job-run.ts';
import { READ, TRIM, WRITE } from '../../../src/load/operation-source.ts';
import { createMemoryTarget, createNullTarget } from '../../../src/load/target.ts';
import { type Faults, faultyTarget, runJobs, witness } from './doubles.ts';

const VERIFIED = '[a]\nrw=randwrite\nbs=4k\nsize=256k\niodepth=8\nverify=crc32c';

test('a job moves its size, block by block', async () => {
  const { target, requests } = witness(createMemoryTarget());
  const [result] = await runJobs('[a]\nrw=randwrite\nbs=4k\nsize=1m\niodepth=4', target);
  expect(result!.run.error).toBeNull();
  expect(result!.run.stats.direction(WRITE)).toMatchObject({ requests: 256, bytes: MIB });
  expect(new Set(requests.map(({ offset }) => offset)).size).toBe(256);
});

test('disks that are read are laid out first, each range once, and not measured', async () => {
  const { target, requests } = witness(createMemoryTarget());
  const text =
    '[global]\nfilename=x\nbs=64k\n[a]\nrw=read\nsize=2m\n[b]\nrw=randrw\noffset=1m\nsize=2m';
  const results = await runJobs(text, target);
  const firstRead = requests.findIndex(({ operation }) => operation === 'read');
  const layout = requests.slice(0, firstRead).filter(({ length }) => length === MIB);
  expect(layout.map(({ offset }) => offset / MIB)).toEqual([0, 1, 2]);
  expect(results[0]!.run.stats.direction(WRITE).requests).toBe(0);
});

test('nothing is laid out for writers, for null, or on a disk that was there before', async () => {
  const writer = witness(createMemoryTarget());
  await runJobs('[a]\nrw=write\nbs=4k\nsize=64k', writer.target);
  expect(writer.requests.every(({ length }) => length === 4096)).toBe(true);
  const nothing = witness(createNullTarget());
  await runJobs('[a]\nrw=read\nbs=4k\nsize=64k', nothing.target);
  expect(nothing.requests.every(({ operation }) => operation === 'read')).toBe(true);
  const memory = createMemoryTarget();
  await runJobs('[a]\nrw=write\nbs=4k\nsize=64k', memory);
  const again = witness(memory);
  await runJobs('[a]\nrw=read\nbs=4k\nsize=64k', again.target);
  expect(again.requests.every(({ operation }) => operation === 'read')).toBe(true);
});

test('stages run one after the other, the jobs of a stage together', async () => {
  const { target, requests } = witness(createNullTarget());
  await runJobs('[global]\nbs=4k\nsize=64k\nrw=write\n[a]\n[b]\n[c]\nstonewall', target);
  const order = requests.map(({ disk }) => disk[0]).join('');
  expect(order).toMatch(/^[ab]+c+$/);
  expect(order.slice(0, 32)).toMatch(/ab.*ab/);
});

test('trim and fsync reach the disk', async () => {
  const { target, requests } = witness(createMemoryTarget());
  const results = await runJobs(
    '[t]\nrw=trim\nbs=64k\nsize=256k\n[w]\nrw=write\nbs=64k\nsize=256k\nfsync=2\nend_fsync=1',
    target,
  );
  expect(results[0]!.run.stats.direction(TRIM).requests).toBe(4);
  expect(requests.filter(({ operation }) => operation === 'flush')).toHaveLength(2);
});

describe('verify', () => {
  test('what was written is read back and is right', async () => {
    const [result] = await runJobs(VERIFIED, createMemoryTarget());
    const { run } = result!;
    expect([run.error, run.log.count, run.log.checkedUnits]).toEqual([null, 0, 512]);
    expect(run.stats.direction(READ).requests).toBe(64);
  });

  test('only what was written is read back', async () => {
    const text = `${VERIFIED}\nnumber_ios=10`;
    const [result] = await runJobs(text, createMemoryTarget());
    expect(result!.run.stats.direction(READ).requests).toBe(10);
  });

  test('do_verify=0 reads nothing back, null cannot be verified', async () => {
    const [quiet] = await runJobs(`${VERIFIED}\ndo_verify=0`, createMemoryTarget());
    expect(quiet!.run.stats.direction(READ).requests).toBe(0);
    const [nothing] = await runJobs(VERIFIED, createNullTarget());
    expect([nothing!.run.error, nothing!.run.log.checkedUnits]).toEqual([null, 0]);
  });

  const planted: [string, Faults, RegExp][] = [
    ['a write that was dropped', { dropWrite: 5 }, /^zeros$/],
    ['a write that went to another place', { misplaceWrite: 5 }, /zeros|another place/],
    ['a write that was torn', { tearWrite: 5 }, /^zeros$/],
    ['a bit that was flipped', { flipRead: 5 }, /damaged|another place/],
  ];
  test.each(planted)('%s is found', async (_name, faults, got) => {
    const [result] = await runJobs(VERIFIED, faultyTarget(faults));
    const { run } = result!;
    expect(run.log.count).toBeGreaterThan(0);
    expect(run.log.first[0]!.got).toMatch(got);
    expect(run.error).toMatchObject({ code: 'VerifyMismatch' });
  });

  test('two writes to one place done in the wrong order are found', async () => {
    const text = '[a]\nrw=write\nbs=4k\nsize=4k\nloops=2\nverify=crc32c';
    const [result] = await runJobs(text, faultyTarget({ swapWrite: 1 }));
    expect(result!.run.log.first[0]).toMatchObject({ expected: 'version 2', got: 'version 1' });
  });

  test('a pattern is written, and its damage found', async () => {
    const text = '[a]\nrw=write\nbs=4k\nsize=64k\nverify=pattern\nverify_pattern=0xc0ffee';
    const [right] = await runJobs(text, createMemoryTarget());
    expect([right!.run.error, right!.run.log.checkedUnits]).toEqual([null, 128]);
    const [wrong] = await runJobs(text, faultyTarget({ flipRead: 2 }));
    expect(wrong!.run.log.first).toEqual([
      { diskName: 'a.0.0', offsetBytes: 7680, expected: 'version 2', got: 'not the pattern' },
    ]);
  });

  test('verify_fatal ends the job at the first mismatch', async () => {
    const text = `${VERIFIED}\nverify_fatal=1\niodepth=1`;
    const [result] = await runJobs(text, faultyTarget({ flipRead: 3 }));
    expect(result!.run.stats.direction(READ).requests).toBe(3);
  });

  test('jobs that share a disk are judged by all their writes', async () => {
    const text =
      '[global]\nfilename=x\nsize=128k\nbs=4k\niodepth=4\nrw=randwrite\n' +
      '[a]\nverify=crc32c\n[b]\nloops=3';
    const results = await runJobs(text, createMemoryTarget());
    expect(results.map(({ run }) => [run.error, run.log.count])).toEqual([
      [null, 0],
      [null, 0],
    ]);
  });

  test('a disk laid out for a verifying reader holds what it wants', async () => {
    const text = '[a]\nrw=randread\nbs=4k\nsize=64k\nverify=crc32c';
    const [result] = await runJobs(text, createMemoryTarget());
    expect([result!.run.error, result!.run.log.checkedUnits]).toEqual([null, 128]);
  });

  test('another run reads what an earlier one wrote, and must find it whole', async () => {
    const memory = createMemoryTarget();
    const reader = '[a]\nrw=read\nbs=4k\nsize=256k\nverify=crc32c';
    await runJobs(VERIFIED, memory);
    const [right] = await runJobs(reader, memory);
    expect([right!.run.error, right!.run.log.checkedUnits]).toEqual([null, 512]);
    const disk = await memory.openDisk('a.0.0', 262_144);
    await disk.write(8192, Uint8Array.of(1, 2, 3));
    const [wrong] = await runJobs(reader, memory);
    expect(wrong!.run.log.first).toMatchObject([{ offsetBytes: 8192, expected: 'a whole unit' }]);
  });

  test('two ways to verify one disk, and part units on it, are refused', async () => {
    const shared = '[global]\nfilename=x\nsize=64k\nrw=write\n[a]\nverify=crc32c\n[b]\n';
    const other = runJobs(`${shared}verify=pattern\nverify_pattern=1`, createMemoryTarget());
    await expect(other).rejects.toThrow('JobFileInvalid: disk x: job b verifies it in another way');
    const part = runJobs(`${shared}bs=1000`, createMemoryTarget());
    await expect(part).rejects.toThrow('expected job b to use multiples of 512 bytes');
    const odd = runJobs(`${shared}offset=100`, createMemoryTarget());
    await expect(odd).rejects.toThrow('multiples of 512');
  });
});

describe('failures', () => {
  test('end their own job with the error, the others go on', async () => {
    const text = '[a]\nrw=write\nbs=4k\nsize=64k\n[b]\nrw=write\nbs=4k\nsize=64k';
    const results = await runJobs(text, faultyTarget({ failWrite: 6 }));
    const failed = results.filter(({ run }) => run.error !== null);
    expect(failed).toHaveLength(1);
    expect(failed[0]!.run.error).toMatchObject({ code: 'NoSpace' });
    const other = results.find(({ run }) => run.error === null);
    expect(other!.run.stats.direction(WRITE).requests).toBe(16);
  });

  test('of the layout are the error of the jobs on that disk, which do not run', async () => {
    const text = '[a]\nrw=read\nsize=2m\nbs=4k\n[b]\nrw=write\nsize=64k\nbs=4k';
    const results = await runJobs(text, faultyTarget({ failWrite: 2 }));
    expect(results[0]!.run.error).toMatchObject({ code: 'NoSpace' });
    expect(results[0]!.run.stats.requests()).toBe(0);
    expect(results[1]!.run.stats.requests()).toBe(16);
  });

  test('a failed job is not read back', async () => {
    const [result] = await runJobs(VERIFIED, faultyTarget({ failWrite: 9 }));
    expect(result!.run.error).toMatchObject({ code: 'NoSpace' });
    expect(result!.run.stats.direction(READ).requests).toBe(0);
  });

  test('a read that fails while reading back is the error', async () => {
    const [result] = await runJobs(VERIFIED, faultyTarget({ failRead: 3 }));
    expect(result!.run.error).toMatchObject({ code: 'ReadFailed' });
  });

  test('to open a target are thrown', async () => {
    const file = readJobFile('[a]\nsize=1m', 'a.fio');
    const run = new JobRun(
      planRun(file, () => 'x', 1),
      () => Promise.reject(new Error('no such target')),
    );
    await expect(run.run()).rejects.toThrow('no such target');
  });
});

test('stop ends a run without end, and gives what was done', async () => {
  const file = readJobFile(
    '[a]\nrw=randread\nruntime=60\ntime_based\nsize=1m\n[b]\nstonewall\nsize=1m',
    'a.fio',
  );
  const target = createNullTarget();
  const run = new JobRun(
    planRun(file, () => 'null', 1),
    async () => target,
  );
  setTimeout(() => run.stop(), 50);
  const results = await run.run();
  expect(results.map(({ run: clone }) => clone.plan.job.name)).toEqual(['a']);
  expect(results[0]!.run.stats.requests()).toBeGreaterThan(0);
});

test('stop before the start runs nothing', async () => {
  const file = readJobFile('[a]\nrw=randread\nsize=1m', 'a.fio');
  const target = createMemoryTarget();
  const run = new JobRun(
    planRun(file, () => 'memory', 1),
    async () => target,
  );
  run.stop();
  expect(await run.run()).toEqual([]);
});

test('progress tells the phase, and grows to the end', async () => {
  const file = readJobFile(
    '[a]\nrw=randwrite\nbs=4k\nsize=8m\niodepth=4\nverify=crc32c\n[b]\nstonewall\nrw=read\nsize=8m',
    'a.fio',
  );
  const target = createMemoryTarget();
  const run = new JobRun(
    planRun(file, () => 'memory', 1),
    async () => target,
  );
  expect(run.progress()).toMatchObject({ phase: 'opening', requests: 0 });
  const seen: { phase: string; share: number }[] = [];
  const timer = setInterval(() => seen.push(run.progress()), 2);
  await run.run();
  clearInterval(timer);
  expect(new Set(seen.map(({ phase }) => phase))).toContain('verifying');
  expect(seen.every(({ share }) => share >= 0 && share <= 1)).toBe(true);
  expect(run.progress().requests).toBeGreaterThan(4000);
});
