/** Options that need a running job: thinking, floors, delays, backlog, logs, waits. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { readJobFile } from '../../../src/load/job.ts';
import { planRun } from '../../../src/load/job-plan.ts';
import { JobRun } from '../../../src/load/job-run.ts';
import { READ, WRITE } from '../../../src/load/operation-source.ts';
import { reportClones } from '../../../src/load/report.ts';
import { createMemoryTarget, createNullTarget } from '../../../src/load/target.ts';
import { faultyTarget, runJobs, witness, wrapTarget } from './doubles.ts';

const codeOf = (error: unknown): string => (error as PlaneError).code;

test('thinktime pauses after each thinktime_blocks, when all have completed', async () => {
  const beganAtMs = performance.now();
  const text = '[a]\nrw=write\nsize=64k\niodepth=4\nthinktime=20ms\nthinktime_blocks=8';
  const [result] = await runJobs(`${text}\nthinktime_spin=5ms`, createNullTarget());
  expect(result!.run.stats.requests()).toBe(16);
  expect(performance.now() - beganAtMs).toBeGreaterThan(35);
});

test('stop ends a job that thinks or waits to start', async () => {
  for (const option of ['thinktime=1h', 'startdelay=1h', 'rate_iops=1\nthinktime=1']) {
    const text = `[a]\nrw=write\nsize=1m\n${option}`;
    const plan = planRun(readJobFile(text, 'a.fio'), () => 'null', 1);
    const target = createNullTarget();
    const run = new JobRun(plan, async () => target);
    setTimeout(() => run.stop(), 30);
    const [result] = await run.run();
    expect(result!.run.stats.requests()).toBeLessThan(2);
  }
});

test('a rate is held, and response times are counted from when requests were due', async () => {
  const slow = wrapTarget(createNullTarget(), (disk) => ({
    ...disk,
    write: () => new Promise((resolve) => setTimeout(resolve, 8)),
  }));
  const text = '[a]\nrw=write\nbs=4k\nsize=80k\nrate_iops=500';
  const results = await runJobs(text, slow);
  const [job] = reportClones(results);
  expect(job!.isPaced).toBe(true);
  const { response } = job!.stats;
  expect(response.count).toBe(20);
  // One at a time, 8 ms each, due every 2 ms: the last is made more than 100 ms late.
  expect(response.most).toBeGreaterThan(100e6);
  expect(job!.stats.direction(WRITE).latency.mean()).toBeLessThan(response.mean());
});

test('rate_min ends a job that makes less, and says what it made', async () => {
  const floor = 'rate_cycle=40\nrate_min=1t\nrate_iops=200';
  const [result] = await runJobs(`[a]\nrw=read\nsize=64m\n${floor}`, createNullTarget());
  expect(codeOf(result!.run.error)).toBe('RateNotHeld');
  expect((result!.run.error as Error).message).toMatch(
    /read: expected at least 1099511627776 bytes/,
  );
  const requests = 'rate_cycle=40\nrate_iops_min=100000\nrate_iops=200';
  const [other] = await runJobs(`[a]\nrw=read\nsize=64m\n${requests}`, createNullTarget());
  expect((other!.run.error as Error).message).toMatch(/at least 100000 requests a second/);
});

test('a floor that is held ends nothing', async () => {
  const text =
    '[a]\nrw=read\nsize=1m\nrate_cycle=20\nrate_iops_min=1\nrate_iops=1000\nruntime=100ms';
  const [result] = await runJobs(text, createNullTarget());
  expect(result!.run.error).toBeNull();
});

test('max_latency ends a job with a request that took longer', async () => {
  const slow = wrapTarget(createNullTarget(), (disk) => ({
    ...disk,
    read: () => new Promise((resolve) => setTimeout(resolve, 15)),
  }));
  const [result] = await runJobs('[a]\nrw=read\nsize=1m\nmax_latency=5ms', slow);
  expect(codeOf(result!.run.error)).toBe('LatencyExceeded');
  expect(result!.run.stats.requests()).toBe(1);
});

test('verify_backlog reads written blocks back while the job goes on', async () => {
  const { target, requests } = witness(createMemoryTarget());
  const text = '[a]\nrw=randwrite\nbs=4k\nsize=64k\nverify=sha256\ndo_verify=0\nverify_backlog=4';
  const [result] = await runJobs(text, target);
  expect(requests.map(({ operation }) => operation).join('')).toBe(
    `${'write'.repeat(4)}${'read'.repeat(4)}`.repeat(4),
  );
  const written = requests.filter(({ operation }) => operation === 'write');
  const read = requests.filter(({ operation }) => operation === 'read');
  expect(read.map(({ offset }) => offset)).toEqual(written.map(({ offset }) => offset));
  expect(result!.run.log).toMatchObject({ count: 0, checkedUnits: 128 });
});

test('verify_backlog finds a lost write before the job is over; a batch reads fewer', async () => {
  const text = '[a]\nrw=write\nbs=4k\nsize=64k\nverify=xxhash\nverify_backlog=4\nverify_fatal=1';
  const [result] = await runJobs(text, faultyTarget({ dropWrite: 3 }));
  expect(codeOf(result!.run.error)).toBe('VerifyMismatch');
  expect(result!.run.stats.direction(WRITE).requests).toBe(4);
  const batch = text.replace('verify_fatal=1', 'verify_backlog_batch=1\ndo_verify=0');
  const [fewer] = await runJobs(batch, createMemoryTarget());
  expect(fewer!.run.stats.direction(READ).requests).toBe(4);
});

test('buffer_pattern is what is written', async () => {
  const seen: string[] = [];
  const target = wrapTarget(createNullTarget(), (disk) => ({
    ...disk,
    write: (offset, bytes) => {
      seen.push(Buffer.from(bytes.subarray(0, 4)).toString('hex'));
      return disk.write(offset, bytes);
    },
  }));
  await runJobs('[a]\nrw=write\nsize=8k\nbuffer_pattern=0xdeadbeef', target);
  expect(seen).toEqual(['deadbeef', 'deadbeef']);
});

test('wait_for begins a job when another has ended; exitall ends one with it', async () => {
  const { target, requests } = witness(createNullTarget());
  await runJobs('[a]\nrw=write\nsize=16k\n[b]\nrw=trim\nsize=16k\nwait_for=a', target);
  expect(requests.map(({ operation }) => operation)).toEqual([
    ...Array(4).fill('write'),
    ...Array(4).fill('trim'),
  ]);
  const endless = '[b]\nrw=write\nsize=16k\nruntime=1h\ntime_based';
  for (const what of ['group', 'stonewall', 'all']) {
    const text = `[a]\nrw=write\nsize=16k\nexitall\nexit_what=${what}\n${endless}`;
    const results = await runJobs(text, createNullTarget());
    expect(results).toHaveLength(2);
  }
  const circle = '[a]\nsize=4k\nwait_for=b\n[b]\nsize=4k';
  expect(() => planRun(readJobFile(circle, 'a.fio'), () => 'null', 1)).toThrow(
    "job a: wait_for: expected a job before it, got 'b'",
  );
});

test("logs have fio's names and lines, one a request or one an interval", async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sealdisk-logs-'));
  const run = async (text: string): Promise<number> => {
    const plan = planRun(readJobFile(text, 'a.fio'), () => 'null', 1);
    const target = createNullTarget();
    const [result] = await new JobRun(plan, async () => target, directory).run();
    return result!.run.stats.requests();
  };
  const lines = (name: string): string[] =>
    readFileSync(join(directory, name), 'utf8').trim().split('\n');
  await run('[j]\nrw=rw\nsize=64k\nwrite_bw_log=x\nwrite_lat_log=x\nwrite_iops_log\nnumjobs=2');
  for (const name of ['x_bw.1.log', 'x_lat.1.log', 'x_clat.1.log', 'j_iops.1.log', 'x_bw.2.log']) {
    expect(lines(name)).toHaveLength(16);
    expect(lines(name).every((line) => /^\d+, \d+, [01], 4096, 0$/.test(line))).toBe(true);
  }
  expect(lines('j_iops.2.log').every((line) => line.split(', ')[1] === '1')).toBe(true);
  const requests = await run(
    '[k]\nrw=write\nsize=64m\nrate_iops=1000\nruntime=300ms\ntime_based\nlog_avg_msec=100\n' +
      'write_iops_log=y\nwrite_bw_log=y',
  );
  const means = lines('y_iops.1.log').map((line) => line.split(', ').map(Number));
  expect(means.length).toBeGreaterThanOrEqual(2);
  expect(means.every(([, , direction, length]) => direction === 1 && length === 0)).toBe(true);
  const rate = means[0]![1]!;
  expect(rate).toBeGreaterThan(0);
  // Rates times the lengths of their intervals, in whole milliseconds, are the requests made.
  const made = means.map(([time, mean], at) => ((time! - (means[at - 1]?.[0] ?? 0)) * mean!) / 1e3);
  const sum = made.reduce((all, each) => all + each, 0);
  expect(Math.abs(sum / requests - 1)).toBeLessThan(0.1);
  expect(Number(lines('y_bw.1.log')[0]!.split(', ')[1]) / rate).toBeCloseTo(4, 1);
  rmSync(directory, { recursive: true });
});

test('a log that cannot be made is said before anything runs', async () => {
  const text = '[j]\nrw=read\nsize=64k\nwrite_bw_log=/nowhere/x';
  await expect(runJobs(text, createNullTarget())).rejects.toThrow(/ENOENT/);
  expect(new PlaneError('RateNotHeld', 'x').retryable).toBe(false);
});

test.each([
  ['sync=1', 4],
  ['sync=dsync', 4],
  ['sync=none', 0],
])('%s: a write is done when it is flushed', async (option, flushes) => {
  const { target, requests } = witness(createMemoryTarget());
  const [result] = await runJobs(`[a]\nrw=write\nbs=4k\nsize=16k\n${option}`, target);
  expect(result!.run.stats.direction(WRITE).requests).toBe(4);
  const order = requests.map(({ operation }) => operation);
  expect(order.filter((operation) => operation === 'flush')).toHaveLength(flushes);
  if (flushes > 0) expect(order.slice(0, 2)).toEqual(['write', 'flush']);
  expect(() => readJobFile('[a]\nsync=maybe', 'a.fio')).toThrow('expected one of none, 0, sync');
});
