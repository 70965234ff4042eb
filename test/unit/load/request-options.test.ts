/** Options that say how requests are put together, submitted and recorded. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { readJobFile } from '../../../src/load/job.ts';
import { planRun } from '../../../src/load/job-plan.ts';
import { JobRun } from '../../../src/load/job-run.ts';
import { ownCostOf } from '../../../src/load/own-cost.ts';
import { reportClones } from '../../../src/load/report.ts';
import { reportDocument } from '../../../src/load/report-json.ts';
import { reportNormal } from '../../../src/load/report-normal.ts';
import { reportTable } from '../../../src/load/report-table.ts';
import { createMemoryTarget, createNullTarget, type Target } from '../../../src/load/target.ts';
import { runJobs, wrapTarget } from './doubles.ts';
import { fio, fioAbsent } from './fio-oracle.ts';

interface Made {
  readonly offset: number;
  readonly length: number;
  readonly bytes: Uint8Array | null;
  /** In flight when it was made, itself included. */
  readonly inFlight: number;
}

/** A target, and the requests made on it. */
function recording(inner: Target = createMemoryTarget()): { target: Target; made: Made[] } {
  const made: Made[] = [];
  let inFlight = 0;
  const noted = (offset: number, length: number, bytes: Uint8Array | null) => {
    inFlight += 1;
    made.push({ offset, length, bytes: bytes?.slice() ?? null, inFlight });
  };
  const target = wrapTarget(inner, (disk) => ({
    ...disk,
    read: (offset, into) => {
      noted(offset, into.length, null);
      return disk.read(offset, into).finally(() => (inFlight -= 1));
    },
    write: (offset, bytes) => {
      noted(offset, bytes.length, bytes);
      return disk.write(offset, bytes).finally(() => (inFlight -= 1));
    },
  }));
  return { target, made };
}

async function requestsOf(text: string, inner?: Target): Promise<Made[]> {
  const { target, made } = recording(inner);
  const results = await runJobs(`[a]\n${text}`, target);
  for (const { run } of results) expect(run.error).toBeNull();
  return made;
}

test('bs_unaligned draws any number of bytes of a range, and fills the region', async () => {
  const made = await requestsOf('rw=write\nbsrange=1000-3000\nbs_unaligned\nsize=64k\nio_size=1m');
  const lengths = made.map(({ length }) => length);
  expect(Math.min(...lengths)).toBeGreaterThanOrEqual(1000);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(3000);
  expect(new Set(lengths.map((length) => length % 1000)).size).toBeGreaterThan(100);
});

test('bs_is_seq_rand takes a length for sequential requests, another for random ones', async () => {
  const shape = 'bs=8k,16k\nbs_is_seq_rand=1\nsize=1m';
  for (const rw of ['read', 'write']) {
    const lengths = (await requestsOf(`rw=${rw}\n${shape}`, createNullTarget())).map(
      ({ length }) => length,
    );
    expect([rw, ...new Set(lengths)]).toEqual([rw, 8192]);
  }
  const random = await requestsOf(`rw=randread\n${shape}`, createNullTarget());
  expect(new Set(random.map(({ length }) => length))).toEqual(new Set([16384]));
});

test('rw_sequencer=identical goes to one offset again and again', async () => {
  const text = 'rw=randwrite:4\nrw_sequencer=identical\nsize=64k\nbs=4k';
  const offsets = (await requestsOf(text)).map(({ offset }) => offset);
  expect(offsets).toHaveLength(16);
  for (let at = 0; at < 16; at += 4) expect(new Set(offsets.slice(at, at + 4)).size).toBe(1);
  expect(new Set(offsets).size).toBe(4);
});

test('offset_align moves an offset in percent up, fill_device goes to the end of the disk', () => {
  const planOf = (text: string) =>
    planRun(readJobFile(`[a]\nfilesize=1m\n${text}`, 'a.fio'), () => 'null', 1).stages[0]![0]!;
  expect(planOf('offset=33%\noffset_align=64k').regionOffset).toBe(6 * 65536);
  expect(planOf('offset=33%').regionOffset).toBe(84 * 4096);
  expect(planOf('size=8k\nfill_device=1').regionBytes).toBe(2 ** 20);
});

test.each([
  ['iodepth_batch=4', 4],
  ['iodepth_batch_complete_min=3', 3],
  ['iodepth_low=2', 6],
  ['iodepth_batch=99', 8],
])('with %s requests are made when %d can be', async (option, batch) => {
  // Every completion comes in a turn of its own.
  let last: Promise<void> = Promise.resolve();
  const slow = wrapTarget(createNullTarget(), (disk) => ({
    ...disk,
    read: () => (last = last.then(() => new Promise((resolve) => setImmediate(resolve)))),
  }));
  const made = await requestsOf(`rw=read\nsize=512k\niodepth=8\n${option}`, slow);
  expect(made).toHaveLength(128);
  const afterFill = made.slice(8, 104).map(({ inFlight }) => inFlight);
  expect(Math.min(...afterFill)).toBe(8 - batch + 1);
});

test('thinktime_iotime pauses by time, whatever the requests', async () => {
  const slow = wrapTarget(createNullTarget(), (disk) => ({
    ...disk,
    write: () => new Promise((resolve) => setTimeout(resolve, 2)),
  }));
  const beganAtMs = performance.now();
  const [result] = await runJobs(
    '[a]\nrw=write\nsize=64k\nthinktime=50ms\nthinktime_iotime=8ms',
    slow,
  );
  expect(result!.run.stats.requests()).toBe(16);
  expect(performance.now() - beganAtMs).toBeGreaterThan(2 * 50);
});

test('buffers have the share of zeros, or of the pattern, that they were asked for', async () => {
  const shape = 'rw=write\nsize=64k\nbs=4k\nbuffer_compress_chunk=1k';
  for (const percent of [0, 25, 75, 100]) {
    const made = await requestsOf(
      `${shape}\nbuffer_compress_percentage=${percent}\nrefill_buffers`,
    );
    const all = Buffer.concat(made.map(({ bytes }) => bytes!));
    const ratio = gzipSync(all).length / all.length;
    expect(Math.abs(ratio - (1 - percent / 100))).toBeLessThan(0.05);
  }
  const patterned = await requestsOf(
    `${shape}\nbuffer_compress_percentage=50\nbuffer_pattern="ab"`,
  );
  expect(Buffer.from(patterned[0]!.bytes!.subarray(512, 516)).toString()).toBe('abab');
});

test('dedupe_percentage of the buffers are as the one before', async () => {
  const shape = 'rw=write\nsize=1m\nbs=4k';
  const repeated = async (percent: number): Promise<number> => {
    const made = await requestsOf(`${shape}\ndedupe_percentage=${percent}`);
    return made.filter(
      ({ bytes }, at) => at > 0 && made[at - 1]!.bytes!.every((b, i) => b === bytes![i]),
    ).length;
  };
  const half = await repeated(50);
  expect(half).toBeGreaterThan(90);
  expect(half).toBeLessThan(166);
  expect(await repeated(100)).toBe(255);
});

test('log_offset and log_max_value are in the logs', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sealdisk-logs-'));
  const target = createMemoryTarget();
  const run = (text: string) =>
    new JobRun(
      planRun(readJobFile(text, 'a.fio'), () => 'memory', 1),
      async () => target,
      directory,
    ).run();
  await run('[a]\nrw=write\nsize=16k\nlog_offset=1\nwrite_lat_log=offset');
  const lines = readFileSync(join(directory, 'offset_lat.1.log'), 'utf8').trim().split('\n');
  expect(lines.map((line) => line.split(', ').slice(2).join())).toEqual(
    [0, 4096, 8192, 12288].map((offset) => `1,4096,${offset},0`),
  );
  const averaged = 'log_avg_msec=60000\nrw=write\nsize=4m\nwrite_lat_log';
  await run(`[a]\n${averaged}=mean\n[b]\nstonewall\nlog_max_value=1\n${averaged}=most`);
  const value = (name: string): number =>
    Number(readFileSync(join(directory, `${name}.log`), 'utf8').split(', ')[1]);
  const [mean, most] = [value('mean_lat.1'), value('most_lat.2')];
  expect(most).toBeGreaterThan(0);
  expect(mean).toBeGreaterThan(0);
  rmSync(directory, { recursive: true });
});

/** Refuses every second request of a kind. */
function refusing(kind: 'read' | 'write'): Target {
  let made = 0;
  return wrapTarget(createMemoryTarget(), (disk) => ({
    ...disk,
    [kind]: (offset: number, bytes: Uint8Array) => {
      made += 1;
      if (made % 2 === 0) return Promise.reject(new PlaneError('NoSpace', 'the double is full'));
      return disk[kind](offset, bytes);
    },
  }));
}

test('a job goes on after failures of the kind it says, and counts them', async () => {
  const shape = '[a]\nrw=write\nsize=64k\niodepth=3';
  for (const value of ['all', 'io', 'write', '1']) {
    const results = await runJobs(`${shape}\ncontinue_on_error=${value}`, refusing('write'));
    const [job] = reportClones(results);
    expect(job).toMatchObject({ error: null, failures: { count: 8 } });
    expect(job!.stats.requests()).toBe(8);
    const report = {
      ...{ version: '1', timestampMs: 0, globalOptions: {}, jobs: [job!], comparison: null },
      ...{ overhead: null, isPartial: false, notes: [], environment: {} },
    };
    expect(reportDocument(report)).toMatchObject({ jobs: [{ total_err: 8, first_error: 28 }] });
    expect(reportTable(report)).toContain('a: 8 requests failed, the first: NoSpace: the double');
    expect(reportNormal(report, 1)).toContain('errors    : total=8, first_error=28/<NoSpace>');
  }
  for (const value of ['none', 'read', 'verify', '0']) {
    const [result] = await runJobs(`${shape}\ncontinue_on_error=${value}`, refusing('write'));
    expect(result!.run.error).toMatchObject({ code: 'NoSpace' });
  }
});

test('exitall_on_error ends the others when a job failed, and only then', async () => {
  const long = 'time_based\nruntime=1h\nsize=64k\nrw=read';
  const failing = await runJobs(
    `[a]\nrw=write\nsize=64k\nexitall_on_error\n[b]\n${long}`,
    refusing('write'),
  );
  expect(failing[0]!.run.error).toMatchObject({ code: 'NoSpace' });
  const fine = await runJobs(
    '[a]\nrw=write\nsize=4k\nexitall_on_error\n[b]\nrw=write\nsize=1m',
    createMemoryTarget(),
  );
  expect(fine[1]!.run.stats.requests()).toBe(256);
});

test('the time the target takes in a call is not the cost of the generator', async () => {
  const spin = (): void => {
    const until = performance.now() + 2;
    while (performance.now() < until);
  };
  const busy = wrapTarget(createNullTarget(), (disk) => ({
    ...disk,
    read: (offset, into) => {
      spin();
      return disk.read(offset, into);
    },
  }));
  const [result] = await runJobs('[a]\nrw=read\nsize=1m\nbs=4k', busy);
  const cost = ownCostOf(result!.run.stats)!;
  // Of 256: with the last of them the job ended.
  expect(cost.samples).toBe(3);
  expect(cost.p50Ns).toBeGreaterThan(0);
  expect(cost.p50Ns).toBeLessThan(2e6);
  const [none] = await runJobs('[a]\nrw=read\nsize=16k\nbs=4k', createNullTarget());
  expect(ownCostOf(none!.run.stats)).toBeNull();
});

test.each([
  ['rw_sequencer=random', 'expected sequential or identical'],
  ['random_generator=mt19937', 'expected one of tausworthe, lfsr, tausworthe64'],
  ['continue_on_error=maybe', 'expected one of 0'],
  ['iodepth_low=9\niodepth=8', 'iodepth_low: expected at most iodepth, 8'],
  ['buffer_compress_percentage=101', 'expected a number of 0 to 100'],
  ['buffer_compress_chunk=0', 'expected a size above 0'],
  ['replay_skip=read,fly', 'expected read, write, trim or sync'],
  ['bs_unaligned\nverify=meta', 'not bs_unaligned'],
])('%j is refused', (options, message) => {
  expect(() => readJobFile(`[a]\n${options}`, 'a.fio')).toThrow(message);
});

interface FioJob {
  readonly read: { total_ios: number; io_bytes: number };
  readonly write: { total_ios: number; io_bytes: number };
}

describe.skipIf(fioAbsent !== '')(`the same numbers of requests as fio ${fioAbsent}`, () => {
  test.each([
    'rw=randread:4 rw_sequencer=identical size=256k bs=8k',
    'rw=write bs=8k,16k bs_is_seq_rand=1 size=256k',
    'rw=read iodepth=8 iodepth_low=3 iodepth_batch=4 size=256k',
    'rw=write fill_device=0 number_ios=7 size=256k',
    'rw=randread loops=3 size=64k random_generator=lfsr',
  ])('%s', async (options) => {
    const words = options.split(' ');
    const output = fio(
      ...['--name=a', '--ioengine=null', '--output-format=json'],
      ...words.map((word) => `--${word}`),
    );
    const [theirs] = (JSON.parse(output.slice(output.indexOf('{'))) as { jobs: [FioJob] }).jobs;
    const [ours] = reportClones(await runJobs(`[a]\n${words.join('\n')}`, createNullTarget()));
    const [read, write] = ours!.stats.directions;
    expect([read!.requests, read!.bytes, write!.requests, write!.bytes]).toEqual([
      ...[theirs.read.total_ios, theirs.read.io_bytes],
      ...[theirs.write.total_ios, theirs.write.io_bytes],
    ]);
  });
});
