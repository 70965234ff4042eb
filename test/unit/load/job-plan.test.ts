import { expect, test } from 'vitest';
import { GIB, MIB } from '../../../src/base/units.ts';
import { readJobFile } from '../../../src/load/job.ts';
import { planRun, type RunPlan } from '../../../src/load/job-plan.ts';

const plan = (text: string, entropy = 1): RunPlan =>
  planRun(readJobFile(text, 'a.fio'), (job) => job.engine ?? 'sealdisk', entropy);

test('a clone has a disk of its own unless a filename names one', () => {
  const { disks, stages } = plan(
    '[a]\nnumjobs=2\nsize=1m\n[b]\nfilename=x\nsize=1m\n[c]\nfilename=x\nsize=2m',
  );
  expect(disks.map(({ diskName, sizeBytes }) => [diskName, sizeBytes])).toEqual([
    ['a.0.0', MIB],
    ['a.1.0', MIB],
    ['x', 2 * MIB],
  ]);
  expect(stages[0]!.map(({ disk }) => disk.diskName)).toEqual(['a.0.0', 'a.1.0', 'x', 'x']);
});

test('filename_format shares disks between jobs clone by clone', () => {
  const { disks } = plan('[global]\nfilename_format=d.$jobnum\nnumjobs=2\nsize=1m\n[a]\n[b]');
  expect(disks.map(({ diskName }) => diskName)).toEqual(['d.0', 'd.1']);
});

test('the same name on two targets is two disks', () => {
  const { disks } = plan('[global]\nfilename=x\nsize=1m\n[a]\nioengine=memory\n[b]\nioengine=null');
  expect(disks.map(({ targetName }) => targetName)).toEqual(['memory', 'null']);
});

test('a region is offset and clone increments on, whole blocks, within the disk', () => {
  const { stages, disks } = plan(
    '[a]\nfilename=x\noffset=1m\noffset_increment=2m\nnumjobs=2\nbs=3k\nsize=1m',
  );
  expect(disks[0]!.sizeBytes).toBe(4 * MIB);
  expect(stages[0]!.map(({ regionOffset, regionBytes }) => [regionOffset, regionBytes])).toEqual([
    [MIB, 341 * 3072],
    [3 * MIB, 341 * 3072],
  ]);
});

test('shares are of the disk, in whole blocks', () => {
  const { stages } = plan('[a]\nfilesize=1000k\noffset=50%\nsize=25%\nbs=4k');
  expect(stages[0]![0]).toMatchObject({ regionOffset: 125 * 4096, regionBytes: 62 * 4096 });
});

test('without any size a job has the smallest disk there is, from its offset on', () => {
  const { stages, disks } = plan('[a]');
  expect(disks[0]!.sizeBytes).toBe(GIB);
  expect(stages[0]![0]!.regionBytes).toBe(GIB);
  expect(plan('[a]\nfilesize=1g\noffset=1m').stages[0]![0]!.regionBytes).toBe(GIB - MIB);
});

test('what is transferred is the region, times loops, or io_size', () => {
  const transfer = (options: string): number =>
    plan(`[a]\nsize=1m\n${options}`).stages[0]![0]!.transferBytes;
  expect(transfer('')).toBe(MIB);
  expect(transfer('loops=3')).toBe(3 * MIB);
  expect(transfer('io_size=10m')).toBe(10 * MIB);
});

test('seeds differ between clones, repeat between runs, and follow randseed and entropy', () => {
  const seeds = (options: string, entropy: number): number[] =>
    plan(`[a]\nsize=1m\nnumjobs=3\n${options}`, entropy).stages[0]!.map(({ seed }) => seed);
  expect(new Set(seeds('', 1)).size).toBe(3);
  expect(seeds('', 1)).toEqual(seeds('', 2));
  expect(seeds('randrepeat=0', 1)).not.toEqual(seeds('randrepeat=0', 2));
  expect(seeds('randseed=42\nrandrepeat=0', 1)).toEqual(seeds('randseed=42', 2));
  expect(seeds('randseed=42', 1)[0]).toBe(42);
});

test('stages are as the job file has them', () => {
  const { stages } = plan('[global]\nsize=1m\n[a]\n[b]\n[c]\nstonewall\nnumjobs=2');
  expect(stages.map((clones) => clones.map(({ job }) => job.name))).toEqual([
    ['a', 'b'],
    ['c', 'c'],
  ]);
});

test.each([
  ['filesize=1m\nsize=2m', 'expected offset + size within the disk'],
  ['filesize=1m\noffset=1m', 'expected offset + size within the disk'],
  ['filesize=100k\nsize=1%', 'size is less than one block'],
  ['size=65t', 'is too large'],
  ['size=1g\nbs=16m\niodepth=128', 'bytes of buffers'],
])('%j is refused', (options, message) => {
  expect(() => plan(`[a]\n${options}`)).toThrow(message);
  expect(() => plan(`[a]\n${options}`)).toThrow(/^JobFileInvalid: a\.fio: /);
});

test('a target that is one disk is shared by all jobs without a filename', () => {
  const file = readJobFile('[a]\nsize=1m\nnumjobs=2\n[b]\nsize=2m\n[c]\nfilename=x\nsize=1m', 'a');
  const { disks } = planRun(
    file,
    () => 'nbd://host',
    1,
    () => true,
  );
  expect(disks.map(({ diskName, sizeBytes }) => [diskName, sizeBytes])).toEqual([
    ['disk', 2 ** 21],
    ['x', 2 ** 20],
  ]);
});
