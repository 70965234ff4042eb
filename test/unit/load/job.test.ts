import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixedSize } from '../../../src/load/block-sizes.ts';
import { type JobFile, readJobFile, readJobOptions } from '../../../src/load/job.ts';
import type { OptionLine } from '../../../src/load/job-lines.ts';
import { payloadKind } from '../../../src/load/job-settings.ts';
import { everyDirection } from '../../../src/load/job-values.ts';
import { fio, fioAbsent } from './fio-oracle.ts';

const read = (text: string): JobFile => readJobFile(text, 'a.fio');
const only = (options: string): JobFile['jobs'][number] => read(`[j]\n${options}`).jobs[0]!;

test('a job without options has the defaults of fio', () => {
  const job = only('');
  expect(job).toMatchObject({
    name: 'j',
    blockSizes: everyDirection(fixedSize(4096)),
    depth: 1,
    clones: 1,
    readPercent: 50,
    hasRandomMap: true,
    isRepeatable: true,
    verify: 'none',
    verifiesAfter: true,
    stage: 0,
    groupId: 0,
  });
  expect(job.workload).toEqual({
    name: 'read',
    isRandom: false,
    isMixed: false,
    direction: 'read',
    trimsFirst: false,
  });
});

test('every honoured option reaches the job', () => {
  const job = only(`
description=all of it
filename=disk\\:one
filename_format=x.$jobnum
rw=randrw
bs=8k,16k
randrepeat=0
randseed=7
norandommap
ioengine=memory
iodepth=32
size=1g
io_size=2g
filesize=4g
offset=1m
offset_increment=10%
number_ios=99
fsync=8
end_fsync=1
loops=3
numjobs=4
runtime=10s
time_based
ramp_time=500ms
verify=pattern
do_verify=0
verify_pattern=0xab
verify_fatal=1
rwmixwrite=30
stonewall
new_group
group_reporting
refill_buffers
scramble_buffers=0
percentile_list=99.9:50
`);
  expect(job).toMatchObject({
    description: 'all of it',
    diskName: 'disk:one',
    diskNameFormat: 'x.$jobnum',
    engine: 'memory',
    workload: { name: 'randrw', isRandom: true, isMixed: true },
    blockSizes: { read: fixedSize(8192), write: fixedSize(16384), trim: fixedSize(16384) },
    isRepeatable: false,
    seed: 7,
    hasRandomMap: false,
    depth: 32,
    size: { bytes: 2 ** 30, percent: null },
    ioSize: { bytes: 2 ** 31 },
    diskBytes: 2 ** 32,
    offset: { bytes: 2 ** 20 },
    offsetIncrement: { percent: 10 },
    requestsMax: 99,
    syncEvery: 8,
    syncsAtEnd: true,
    loops: 3,
    clones: 4,
    runtimeUs: 10e6,
    isTimeBased: true,
    rampUs: 5e5,
    verify: 'pattern',
    verifiesAfter: false,
    verifyPattern: Uint8Array.of(0xab),
    verifyIsFatal: true,
    readPercent: 70,
    groupReporting: true,
    startsGroup: true,
    stonewall: true,
    percentiles: [50, 99.9],
  });
  expect(job.options).toMatchObject({ time_based: '1', bs: '8k,16k', verify_pattern: '0xab' });
});

test('payload: zeros win over refill, refill over scramble', () => {
  expect(payloadKind(only(''))).toBe('scramble');
  expect(payloadKind(only('refill_buffers'))).toBe('refill');
  expect(payloadKind(only('scramble_buffers=0'))).toBe('same');
  expect(payloadKind(only('zero_buffers\nrefill_buffers'))).toBe('zero');
});

test('aliases are the options they stand for, and are reported by their proper name', () => {
  const job = only('blocksize=8k\nreadwrite=write\ntimeout=5\nfileoffset=4k');
  expect(job).toMatchObject({
    blockSizes: { write: fixedSize(8192) },
    runtimeUs: 5e6,
    offset: { bytes: 4096 },
  });
  expect(Object.keys(job.options)).toEqual(['bs', 'rw', 'runtime', 'offset']);
});

test("[global] holds for the sections after it, a job's own options win", () => {
  const file = read('[a]\n[global]\nbs=8k\niodepth=4\n[b]\nbs=2k\n[global]\nbs=16k\n[c]');
  expect(file.jobs.map(({ blockSizes, depth }) => [blockSizes.read.most, depth])).toEqual([
    [4096, 1],
    [2048, 4],
    [16384, 4],
  ]);
  expect(file.globalOptions).toEqual({ bs: '16k', iodepth: '4' });
});

test('kb_base holds for sizes written before it', () => {
  expect(only('bs=4k\nkb_base=1000').blockSizes.read.most).toBe(4000);
});

test('size=0 is no size, loops=0 is once, as in fio', () => {
  expect(only('size=0\nloops=0')).toMatchObject({ size: null, loops: 1 });
});

test('overrides win over everything in the file', () => {
  const overrides = [{ name: 'blocksize', value: '1m', line: 0 }];
  const file = readJobFile('[a]\nbs=4k\n[b]', 'a.fio', { overrides });
  expect(file.jobs.map(({ blockSizes }) => blockSizes.read.most)).toEqual([1048576, 1048576]);
});

test('options alone make jobs: each name another, what is before the first is for all', () => {
  const line = (name: string, value: string | null) => ({ name, value, line: 0 });
  const file = readJobOptions([
    line('bs', '8k'),
    line('name', 'a'),
    line('rw', 'write'),
    line('name', 'b'),
    line('time_based', null),
    line('runtime', '1'),
  ]);
  expect(
    file.jobs.map(({ name, workload, blockSizes }) => [name, workload.name, blockSizes.read.most]),
  ).toEqual([
    ['a', 'write', 8192],
    ['b', 'read', 8192],
  ]);
  expect(readJobOptions([]).jobs).toHaveLength(1);
});

test('foreign engines and unhonoured options are noted, each once, and the job stays', () => {
  const file = read(`[global]
ioengine=libaio
direct=1
log_prio=1
random_distribution=random
verify=crc64
[a]
rw=read:8k
[b]
log_prio=1
ioengine=external:/x/y.so
verify=crc32c-intel
`);
  expect(file.notes).toEqual([
    'ioengine=libaio: runs on the library',
    'log_prio is not honoured: the job runs without it (requests have no priority)',
    'ioengine=external:/x/y.so: runs on the library',
  ]);
  expect(file.jobs.map(({ verify, engine }) => [verify, engine])).toEqual([
    ['crc64', null],
    ['crc32c', null],
  ]);
});

test.each([
  ['rww=read', "a.fio:2: unknown option 'rww' (did you mean rw?)"],
  ['zzzzzz=1', "a.fio:2: unknown option 'zzzzzz'"],
  ['bs', "a.fio:2: option 'bs' needs a value: expected bs=..."],
  ['direct', "a.fio:2: option 'direct' needs a value"],
  ['rw=randwrit', '(did you mean randwrite?)'],
  ['rw=trimread', 'rw: expected one of read'],
  ['bs=0', 'bs: expected a size above 0'],
  ['bs=4q', "bs: expected a size such as 4096, 4k or 1g, got '4q'"],
  ['bs=33m', 'a.fio:2: bs: expected at most 32768k'],
  ['iodepth=0', 'iodepth: expected a whole number of at least 1'],
  ['iodepth=65537', 'iodepth: expected at most 65536'],
  ['numjobs=1025', 'numjobs: expected at most 1024'],
  ['rwmixread=101', 'rwmixread: expected 0 to 100'],
  ['ioengine=libaoi', '(did you mean libaio?)'],
  ['verify=pattern_hdr', 'pattern has no header here'],
  ['verify=crc33', '(did you mean crc32?)'],
  ['verify=pattern', 'verify=pattern needs verify_pattern'],
  ['verify=crc32c\nbs=1000', 'verify: expected bs to be a multiple of 512'],
  ['size=2k', 'size: expected at least bs, 4096 bytes, got 2048'],
  ['time_based=maybe', 'time_based: expected 0 or 1'],
  ['kb_base=1001', 'kb_base: expected 1000 or 1024'],
  ['percentile_list=50:101', 'percentile_list: expected 0 to 100'],
  ['filename=/dev/a:/dev/b', 'filename: expected one disk'],
  ['runtime=soon', 'runtime: expected a time'],
])('%j is refused with its place', (options, message) => {
  expect(() => only(options)).toThrow(message);
  expect(() => only(options)).toThrow(/^JobFileInvalid: a\.fio:\d+: /);
});

test('what options come to together is refused at the line of the option', () => {
  const refusal = (text: string, overrides: readonly OptionLine[] = []): string => {
    try {
      readJobFile(text, 'a.fio', { overrides });
      return 'it was not refused';
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(refusal('[a]\nrw=read\niodepth=65537')).toMatch(/a\.fio:3: iodepth: expected at most/);
  expect(refusal('[global]\nbs=33m\n[a]\nrw=read')).toMatch(/a\.fio:2: bs: expected at most/);
  expect(refusal('[global]\nbs=33m\n[a]\nbs=34m')).toMatch(/a\.fio:4: bs: expected at most/);
  expect(refusal('[a]\nbs=4k\nbssplit=4k/50:33m/50')).toMatch(/a\.fio:3: bs: expected at most/);
  expect(refusal('[a]\nrw=read\nsize=1k')).toMatch(/a\.fio:3: size: expected at least bs/);
  const option = { name: 'iodepth', value: '65537', line: 0 };
  expect(refusal('[a]\niodepth=1', [option])).toMatch(/: command line: iodepth: expected/);
});

test('a file without a job is refused, as is a bad option of the command line', () => {
  expect(() => read('[global]\nbs=4k')).toThrow('expected at least one [job]');
  const overrides = [{ name: 'bss', value: '1', line: 0 }];
  const refused = () => readJobFile('[a]', 'a.fio', { overrides });
  expect(refused).toThrow("JobFileInvalid: command line: unknown option 'bss'");
});

test('verify=0, none and null verify nothing', () => {
  for (const value of ['0', 'none', 'null']) expect(only(`verify=${value}`).verify).toBe('none');
});

const BARRIERS = `[global]
ioengine=null
size=64k
[a]
rw=randread
numjobs=2
[b]
rw=write
stonewall
[c]
new_group
rw=trim
[d]
rw=read
wait_for_previous
`;

test('stonewall begins a stage and a group, new_group a group only', () => {
  expect(read(BARRIERS).jobs.map(({ name, stage, groupId }) => [name, stage, groupId])).toEqual([
    ['a', 0, 0],
    ['b', 1, 1],
    ['c', 1, 2],
    ['d', 2, 3],
  ]);
});

interface FioJob {
  readonly jobname: string;
  readonly groupid: number;
  readonly 'job options': Record<string, string>;
}

describe.skipIf(fioAbsent !== '')(`fio reads the same files to the same end ${fioAbsent}`, () => {
  test('jobs, groups and own options', () => {
    const directory = mkdtempSync(join(tmpdir(), 'sealdisk-fio-'));
    writeFileSync(join(directory, 'a.fio'), BARRIERS);
    const output = fio('--output-format=json', join(directory, 'a.fio'));
    rmSync(directory, { recursive: true });
    const { jobs } = JSON.parse(output.slice(output.indexOf('{'))) as { jobs: FioJob[] };
    const theirs = jobs.map((job) => [job.jobname, job.groupid, job['job options'].rw]);
    const ours = read(BARRIERS).jobs.flatMap((job) =>
      Array.from({ length: job.clones }, () => [job.name, job.groupId, job.options.rw]),
    );
    expect(ours).toEqual(theirs);
  });

  const shipped = new URL('../../../bench/jobs/', import.meta.url).pathname;
  test.each(readdirSync(shipped))('the shipped %s', (name) => {
    const text = readFileSync(join(shipped, name), 'utf8');
    const file = readJobFile(text, name);
    expect(file.notes).toEqual([]);
    const commands = fio('--showcmd', join(shipped, name)).split('--name=').slice(1);
    expect(commands.map((command) => command.split(/\s/)[0])).toEqual(
      file.jobs.map((job) => job.name),
    );
    for (const [index, job] of file.jobs.entries()) {
      for (const [option, value] of Object.entries(job.options)) {
        const written = value === '1' ? `--${option}` : `--${option}=${value}`;
        expect(commands[index]).toContain(written);
      }
    }
  });
});
