/** `sealdisk load --workers`: load by several threads of what was built. */
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readJobFile } from '../../dist/src/load/job.js';
import { planRun } from '../../dist/src/load/job-plan.js';
import { JobThreads } from '../../dist/src/load/job-threads.js';
import { reportClones } from '../../dist/src/load/report.js';
import { createNullTarget } from '../../dist/src/load/target.js';
import { end, MAIN, start } from '../support/nbd-process.ts';
import { tempDir } from '../support/temp-dir.ts';

function load(...words: string[]) {
  const ended = spawnSync(process.execPath, [MAIN, 'load', ...words, '--quiet'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr };
}

interface Direction {
  readonly io_bytes: number;
}
interface Report {
  readonly jobs: readonly {
    readonly error: number;
    readonly write: Direction;
  }[];
  readonly sealdisk: { readonly environment: { readonly workers?: number } };
}

function threadsOn(text: string, threads: number): JobThreads {
  const plan = planRun(readJobFile(text, 'a.fio'), () => 'null', 1);
  const openTarget = async () => createNullTarget();
  return new JobThreads({ plan, threads, openTarget, opensTwice: () => true, overwrites: false });
}

/** The value that percent of them do not exceed. */
function rankOf(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!;
}

test('per-thread and merged histograms agree: the merged is that of all requests', async () => {
  const text = '[a]\nrw=randrw\nbs=4k\nsize=8m\niodepth=8\nnumjobs=4\ngroup_reporting';
  const results = await threadsOn(text, 3).run();
  expect(results.map(({ run }) => run.stats.requests())).toEqual([2048, 2048, 2048, 2048]);
  const [merged, ...others] = reportClones(results);
  expect(others).toEqual([]);
  expect(merged).toMatchObject({ clones: 4, error: null });
  for (const operation of [0, 1] as const) {
    const parts = results.map(({ run }) => run.stats.direction(operation));
    const whole = merged!.stats.direction(operation);
    expect(whole.requests).toBe(parts.reduce((sum, { requests }) => sum + requests, 0));
    expect(whole.bytes).toBe(parts.reduce((sum, { bytes }) => sum + bytes, 0));
    const union = parts
      .flatMap(({ latency }) => latency.bins())
      .flatMap(({ nanoseconds, count }) => Array<number>(count).fill(nanoseconds))
      .sort((left, right) => left - right);
    expect(union).toHaveLength(whole.requests);
    for (const percent of [0, 1, 25, 50, 90, 99, 99.9, 100]) {
      // Three figures: a bucket is at most a thousandth wide, and may be cut at a part's extremes.
      const ratio = whole.latency.percentile(percent) / rankOf(union, percent);
      expect(Math.abs(ratio - 1)).toBeLessThan(0.002);
    }
    expect(whole.latency.most).toBe(Math.max(...parts.map(({ latency }) => latency.most)));
  }
});

test('stages begin together: no thread is in the second while one is in the first', async () => {
  const text = '[a]\nrw=read\nsize=1m\n[slow]\nsize=8k\nrate_iops=10\n[b]\nstonewall\nsize=1m';
  const results = await threadsOn(text, 2).run();
  const [a, slow, b] = results.map(({ cost }) => cost.elapsedMs);
  expect(a).toBe(slow);
  expect(a).toBeGreaterThanOrEqual(90);
  expect(b).not.toBe(a);
});

test('stopped, it gives what was measured until then', async () => {
  const threads = threadsOn('[a]\nrw=read\nsize=1m\ntime_based\nruntime=1h\nnumjobs=2', 2);
  const running = threads.run();
  const stopped = expect
    .poll(() => threads.progress().requests, { timeout: 60_000 })
    .toBeGreaterThan(0)
    .finally(() => threads.stop());
  const results = await running;
  await stopped;
  expect(results).toHaveLength(2);
  for (const { run } of results) expect(run.stats.requests()).toBeGreaterThan(0);
});

test('what jobs do just now is a row for each job and disk, of all threads together', async () => {
  const options = 'rw=read\nsize=1m\ntime_based\nruntime=1h\niodepth=4';
  const threads = threadsOn(`[a]\nnumjobs=2\nfilename=x\n${options}\n[b]\n${options}`, 3);
  const running = threads.run();
  const isSeen = (): boolean => {
    const rows = threads
      .activities()
      .map(({ job, disk, inFlight }) => `${job} ${disk} ${inFlight}`);
    const isMeasured = threads.activities().every(({ recent }) => recent.requests > 0);
    return isMeasured && rows.sort().join() === 'a x 8,b b.0.0 4';
  };
  const seen = expect.poll(isSeen, { timeout: 60_000 }).toBe(true);
  await seen.finally(() => threads.stop());
  await running;
});

test('a thread that fails ends the run, and the others with it', async () => {
  const text = '[a]\nsize=1m\ntime_based\nruntime=1h\n[b]\nsize=1m\nioengine=sealdisk';
  const targetOf = ({ engine }: { engine: string | null }) => engine ?? 'null';
  const threads = new JobThreads({
    plan: planRun(readJobFile(text, 'a.fio'), targetOf, 1),
    threads: 2,
    openTarget: async () => createNullTarget(),
    opensTwice: () => true,
    overwrites: false,
  });
  await expect(threads.run()).rejects.toThrow('disks of the library are used by main alone');
});

test('a thread of its own for each job of an export, over its own connection', async () => {
  using directory = tempDir();
  const socket = join(directory.path, 'nbd.sock');
  const { child, uri } = await start('--encrypted', '--memory', '--socket', socket, '--quiet');
  const job = ['--name=a', '--rw=randwrite', '--bs=4k', '--iodepth=8', '--numjobs=3', '--size=2m'];
  const { code, stdout, stderr } = load('--target', uri, ...job, '--workers', '3', '--json');
  expect([code, stderr]).toEqual([0, '']);
  const report = JSON.parse(stdout) as Report;
  expect(report.sealdisk.environment.workers).toBe(3);
  expect(report.jobs.map(({ error, write }) => [error, write.io_bytes])).toEqual(
    Array(3).fill([0, 2 ** 21]),
  );
  await end(child, 'SIGTERM');
});

test('files: one of several threads is laid out once, a directory has one for each clone', () => {
  using directory = tempDir();
  const one = `file:${join(directory.path, 'one')}`;
  const job = ['--name=a', '--rw=randread', '--size=1m', '--numjobs=2', '--workers', '2'];
  const shared = load('--target', one, ...job, '--json');
  expect([shared.code, shared.stderr]).toEqual([0, '']);
  const again = load('--target', one, ...job);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('--overwrite')]);
  const files = `file:${directory.path}/files/`;
  expect(load('--target', files, ...job, '--verify=md5').code).toBe(0);
  expect(readdirSync(join(directory.path, 'files'))).toEqual(['a.0.0', 'a.1.0']);
});

test('refuses what belongs to main, and says what to do', () => {
  const refusal = (...words: string[]) => load(...words, '--workers', '2');
  const library = refusal('--name=a', '--rw=read', '--size=1m');
  expect([library.code, library.stderr]).toEqual([
    2,
    expect.stringMatching(/belong to the main thread.*sealdisk nbd exports/),
  ]);
  using directory = tempDir();
  const trace = join(directory.path, 'a.csv');
  writeFileSync(trace, '');
  expect(refusal('--trace', trace).stderr).toContain('--workers is for jobs');
  expect(load('--name=a', '--workers', '0').stderr).toContain('--workers: expected a whole number');
  const nowhere = refusal('--target', 'nbd+unix:///?socket=/none', '--name=a', '--numjobs=2');
  expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('connect ENOENT')]);
});
