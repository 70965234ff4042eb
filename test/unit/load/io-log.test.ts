/** read_iolog and write_iolog, and the same logs in fio. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_REPLAY, type ReplaySettings, readIoLog } from '../../../src/load/io-log.ts';
import { type JobFile, readJobFile } from '../../../src/load/job.ts';
import { planRun } from '../../../src/load/job-plan.ts';
import { type CloneResult, JobRun } from '../../../src/load/job-run.ts';
import { FLUSH, READ, TRIM, WRITE } from '../../../src/load/operation-source.ts';
import { reportClones } from '../../../src/load/report.ts';
import { createMemoryTarget } from '../../../src/load/target.ts';
import { fio, fioAbsent } from './fio-oracle.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealdisk-iolog-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const PLACE = { fileName: 'a.fio', line: 3, option: 'read_iolog' };
const read = (text: string, settings: Partial<ReplaySettings> = {}) =>
  readIoLog(text, PLACE, { ...DEFAULT_REPLAY, ...settings });

const V3 = `fio version 3 iolog
10 sdb add
15 sdb open
20 sdb write 0 4096
1020 sdb read 8192 512
1020 sdb sync 0 0
5020 sdb trim 12800 4096
6000 sdb datasync 0 0
6001 sdb close
`;
const V2 = `fio version 2 iolog
sdb add
sdb open
sdb read 0 4096
sdb wait 300 0
sdb write 4096 8192
sdb close
`;

test('version 3 has times in microseconds, from the first line that has one', () => {
  const log = read(V3);
  expect(log.diskName).toBe('sdb');
  expect([...log.operations]).toEqual([WRITE, READ, FLUSH, TRIM, FLUSH]);
  expect([...log.offsets]).toEqual([0, 8192, 0, 12800, 0]);
  expect([...log.lengths]).toEqual([4096, 512, 0, 4096, 0]);
  expect([...log.dueMs]).toEqual([0.01, 1.01, 1.01, 5.01, 5.99]);
  expect([log.endBytes, log.longestBytes]).toEqual([16896, 4096]);
});

test('version 2 waits until so many milliseconds after the begin', () => {
  const log = read(V2);
  expect([...log.operations]).toEqual([READ, WRITE]);
  expect([...log.dueMs]).toEqual([0, 300]);
});

test('the replay options change times, offsets, what is left out, and the disk', () => {
  expect([...read(V3, { timeScale: 200 }).dueMs][3]).toBeCloseTo(2.505);
  expect([...read(V3, { isUnstalled: true }).dueMs]).toEqual([0, 0, 0, 0, 0]);
  expect([...read(V2, { isUnstalled: true }).dueMs]).toEqual([0, 0]);
  expect([...read(V3, { scale: 2 }).offsets]).toEqual([0, 4096, 0, 6400, 0]);
  expect([...read(V3, { alignBytes: 4096 }).offsets]).toEqual([0, 8192, 0, 12288, 0]);
  expect([...read(V3, { skipped: [FLUSH, TRIM] }).operations]).toEqual([WRITE, READ]);
  expect(read(V3, { redirect: 'x' }).diskName).toBe('x');
});

test.each([
  ['', "expected a log that begins with 'fio version 2 iolog' or 3"],
  ['fio version 1 iolog\n', 'begins with'],
  ['fio version 3 iolog\n1 sdb add\n', 'a log with a request in it'],
  ['fio version 3 iolog\nsdb read 0 1\n', 'line 2 of the log to be whole numbers'],
  ['fio version 3 iolog\n1 sdb\n', 'line 2 of the log to be FILE ACTION'],
  ['fio version 3 iolog\n1 sdb wait 5\n', 'line 2 of the log to be one of read, write, trim'],
  ['fio version 2 iolog\nsdb read 0\n', 'whole numbers'],
  ['fio version 2 iolog\nsdb read 0 1\nsdc read 0 1\n', 'line 3 of the log to be about sdb'],
])('%j is refused with its place', (text, message) => {
  expect(() => read(text)).toThrow(message);
  expect(() => read(text)).toThrow(/^JobFileInvalid: a\.fio:3: read_iolog: /);
});

function jobFile(text: string): JobFile {
  return readJobFile(text, 'a.fio', { include: (name) => readFileSync(name, 'utf8') });
}

function run(text: string): Promise<CloneResult[]> {
  const target = createMemoryTarget();
  return new JobRun(
    planRun(jobFile(text), () => 'memory', 1),
    async () => target,
    directory,
  ).run();
}

/** Requests and bytes of reads, writes and trims. */
function countsOf(results: readonly CloneResult[]): number[] {
  const [job] = reportClones(results);
  const directions = ([READ, WRITE, TRIM] as const).map((each) => job!.stats.direction(each));
  return directions.flatMap(({ requests, bytes }) => [requests, bytes]);
}

test('a replay runs the log on the disk it names, each request when it is due', async () => {
  const path = join(directory, 'v2.log');
  writeFileSync(path, V2);
  const text = `[a]\nrw=randread\nbs=1m\nsize=1m\nread_iolog=${path}\nverify=meta`;
  const [job] = jobFile(text).jobs;
  expect(job!.workload).toMatchObject({ isMixed: true, direction: 'write' });
  const results = await run(text);
  expect(results[0]!.run).toMatchObject({ error: null, isVerified: true });
  expect(results[0]!.run.plan.disk).toMatchObject({ diskName: 'sdb', sizeBytes: 12288 });
  // Two requests read back what was written, in lengths of the log's longest.
  expect(countsOf(results)).toEqual([3, 4096 + 8192 + 4096, 1, 8192, 0, 0]);
  expect(results[0]!.run.stats.direction(WRITE).runtimeMs).toBeGreaterThanOrEqual(290);
  expect(reportClones(results)[0]!.stats.response.count).toBe(1);
});

test('number_ios ends a replay, and what cannot be verified or read is refused', async () => {
  const path = join(directory, 'v3.log');
  writeFileSync(path, V3.replace('12800', '12801'));
  const counts = countsOf(await run(`[a]\nread_iolog=${path}\nnumber_ios=2\nreplay_no_stall=1`));
  expect(counts).toEqual([1, 512, 1, 4096, 0, 0]);
  expect(() => jobFile(`[a]\nread_iolog=${path}\nverify=md5`)).toThrow('the log has 12801');
  expect(() => jobFile(`[a]\nread_iolog=${directory}/none`)).toThrow('read_iolog: ENOENT');
  expect(() => readJobFile('[a]\nread_iolog=x', 'a.fio')).toThrow('files cannot be included');
});

interface FioJob {
  readonly read: { total_ios: number; io_bytes: number };
  readonly write: { total_ios: number; io_bytes: number };
  readonly trim: { total_ios: number; io_bytes: number };
}

/** Counts of a run of fio's, as countsOf(). */
function fioCounts(...options: string[]): number[] {
  const output = fio('--name=a', '--ioengine=null', '--output-format=json', ...options);
  const [job] = (JSON.parse(output.slice(output.indexOf('{'))) as { jobs: [FioJob] }).jobs;
  return [job.read, job.write, job.trim].flatMap((each) => [each.total_ios, each.io_bytes]);
}

describe.skipIf(fioAbsent !== '')(`beside fio ${fioAbsent}`, () => {
  test('a log that fio wrote is replayed as fio replays it', async () => {
    const path = join(directory, 'theirs.log');
    const shape = ['--rw=randrw', '--bsrange=4k-16k', '--size=256k', '--fsync=4'];
    const written = fioCounts(...shape, `--write_iolog=${path}`);
    expect(fioCounts(`--read_iolog=${path}`, '--size=1m')).toEqual(written);
    expect(countsOf(await run(`[a]\nread_iolog=${path}`))).toEqual(written);
  });

  test('a log of ours is replayed by fio as it was made', async () => {
    const shape = 'rw=randrw\nbsrange=4k-16k\nsize=256k\nfsync=4\niodepth=4';
    const written = countsOf(await run(`[a]\nwrite_iolog=ours.log\n${shape}`));
    const path = join(directory, 'ours.log');
    expect(fioCounts(`--read_iolog=${path}`, '--size=1m')).toEqual(written);
    expect(countsOf(await run(`[a]\nread_iolog=${path}`))).toEqual(written);
    const twice = `[b]\nrw=write\nsize=8k\nnumjobs=2\nwrite_iolog=twice.log`;
    await run(twice);
    expect(readFileSync(join(directory, 'twice.log.1'), 'utf8')).toMatch(/b\.1\.0 write 4096 4096/);
  });
});
