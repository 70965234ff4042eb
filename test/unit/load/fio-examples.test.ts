/** fio's own example job files, where they are installed (Debian: package fio-examples). */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { readJobFile } from '../../../src/load/job.ts';
import { planRun } from '../../../src/load/job-plan.ts';
import { JobRun } from '../../../src/load/job-run.ts';
import { createMemoryTarget } from '../../../src/load/target.ts';

const DIRECTORY = '/usr/share/doc/fio/examples';
const absent = existsSync(DIRECTORY) ? '' : `${DIRECTORY} is not there`;
const names =
  absent === '' ? readdirSync(DIRECTORY).filter((name) => name.endsWith('.fio')) : ['none'];

/** Small enough for all of them to run in seconds. */
const OVERRIDES = [
  ['size', '2m'],
  ['filesize', '2m'],
  ['io_size', '1m'],
  ['offset', '0'],
  ['offset_increment', '0'],
  ['number_ios', '20'],
  ['loops', '1'],
  ['numjobs', '2'],
  ['runtime', '30ms'],
  ['startdelay', '0'],
  ['ramp_time', '0'],
  ['thinktime', '1'],
  ['rate_min', '0'],
].map(([name, value]) => ({ name: name!, value: value!, line: 0 }));

/** What the examples take from the environment. */
const ENVIRONMENT = new Proxy<Record<string, string>>(
  { FIO_BS: '4k', FIO_RW: 'randrw', FIO_IODEPTH: '4', BLOCK_SIZE: '4k', SIZE: '1m' },
  { get: (known, name) => known[String(name)] ?? '1' },
);

/** What a refused file is refused for, by the start of its name; every other file must run. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^(cpuio|exec|falloc|ftruncate|page_fault)/, 'ioengine'],
  [/^(dfs|e4defrag|gfapi|gpudirect|http|ime|libhdfs|librpma|net|nfs|rdma)/, 'ioengine'],
  [/^(dir|file)(create|delete|stat)/, 'ioengine'],
  [/^(libzbc|zbd|uring-cmd-zoned|xnvme-zoned)/, 'zonemode'],
  [/^sg_/, 'sg_write_mode'],
  [/^sprandom/, 'sprandom'],
];

/** What is about block I/O and not honoured: named on stderr, and the file runs without it. */
const WITHOUT: Readonly<Record<string, readonly string[]>> = {
  'cmdprio-bssplit.fio': ['log_prio'],
  'cmdprio-percentage.fio': ['log_prio'],
  'dedupe-global.fio': ['dedupe_mode', 'dedupe_global', 'dedupe_working_set_percentage'],
  'enospc-pressure.fio': ['ignore_error'],
  'fixed-rate-submission.fio': ['io_submit_mode'],
  'mtd.fio': ['ignore_error'],
  'poisson-rate-submission.fio': ['io_submit_mode'],
  'rados.fio': ['nr_files'],
};

describe.skipIf(absent !== '')(`the examples of fio ${absent}`, () => {
  let logs = '';
  beforeAll(() => {
    logs = mkdtempSync(join(tmpdir(), 'sealdisk-examples-'));
  });
  afterAll(() => rmSync(logs, { recursive: true }));

  test.each(names)('%s runs, or names what is not about block I/O', async (name) => {
    const text = readFileSync(join(DIRECTORY, name), 'utf8');
    const read = () => readJobFile(text, name, { environment: ENVIRONMENT, overrides: OVERRIDES });
    const refusal = REFUSED.find(([pattern]) => pattern.test(name))?.[1];
    if (refusal !== undefined) {
      expect(read).toThrow(PlaneError);
      expect(read).toThrow(refusal);
      return;
    }
    const target = createMemoryTarget();
    const file = read();
    const without = file.notes.flatMap(
      (note) => / is not honoured/.exec(note)?.input.split(' ')[0] ?? [],
    );
    expect(without).toEqual(WITHOUT[name] ?? []);
    const plan = planRun(file, () => 'memory', 1);
    const results = await new JobRun(plan, async () => target, logs).run();
    expect(results.length).toBeGreaterThan(0);
    for (const { run } of results) expect(run.error).toBeNull();
    expect(results.some(({ run }) => run.stats.requests() > 0)).toBe(true);
  });
});
