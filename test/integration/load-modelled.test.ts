/** `sealdisk load --performance modelled`: disks of the kind asked for, as fast as that. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { MAIN } from '../support/nbd-process.ts';

interface Direction {
  readonly total_ios: number;
  readonly io_bytes: number;
  readonly runtime: number;
}
interface Report {
  readonly jobs: readonly {
    readonly jobname: string;
    readonly error: number;
    readonly write: Direction;
    readonly sealdisk: { readonly target: string; readonly generator: { samples: number } | null };
  }[];
  readonly sealdisk: { readonly notes: readonly string[]; readonly overhead: unknown };
}

const JOB = '--name=a --rw=randwrite --bs=4k --iodepth=16 --size=16m --time_based --runtime=300ms';

function load(words: string) {
  const argv = [MAIN, 'load', ...words.split(' '), ...JOB.split(' '), '--json'];
  const ended = spawnSync(process.execPath, argv, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const report = (): Report => JSON.parse(ended.stdout) as Report;
  return { code: ended.status, stderr: ended.stderr, report };
}

/** What a disk may do in a turn: its rate, and what it may make up for (PACING_BUSY_BUCKET_US). */
function mostIn({ runtime }: Direction, perSecond: number): number {
  return (perSecond * (runtime + 200)) / 1e3;
}

test('an encrypted ESSD PL1 of 20 GiB does what it is sold with, and no more', () => {
  const ran = load(
    '--performance modelled --category cloud_essd --performance-level PL1 --disk-size 20G ' +
      '--encrypt on',
  );
  expect(ran.stderr).toContain(
    'a.0.0: cloud_essd PL1, 20 GiB, sold with 2800 IOPS and 130 MiB/s (136 MB/s)',
  );
  expect(ran.code).toBe(0);
  const { jobs, sealdisk } = ran.report();
  expect(jobs).toMatchObject([{ jobname: 'a', error: 0, sealdisk: { target: 'encrypted' } }]);
  expect(jobs[0]!.write.total_ios).toBeGreaterThan(0);
  expect(jobs[0]!.write.total_ios).toBeLessThanOrEqual(mostIn(jobs[0]!.write, 2800));
  expect(jobs[0]!.sealdisk.generator!.samples).toBeGreaterThan(0);
  expect(sealdisk.notes.join('\n')).toContain('cloud_essd PL1');
});

test('--encrypt both makes both disks of that kind, and says what encryption costs', () => {
  const ran = load('--performance modelled --performance-level PL0 --disk-size 40 --encrypt both');
  expect(ran.code).toBe(0);
  const { jobs, sealdisk } = ran.report();
  expect(jobs.map(({ jobname }) => jobname)).toEqual(['a/encrypted', 'a/plain']);
  // 1800 + 12 a GiB.
  for (const { write } of jobs) expect(write.total_ios).toBeLessThanOrEqual(mostIn(write, 2280));
  expect(sealdisk.notes.filter((note) => note.includes('cloud_essd PL0, 40 GiB'))).not.toEqual([]);
  expect(sealdisk.overhead).toMatchObject({ pairs: expect.any(Number) as number });
});

test('what the cloud does not sell is refused in its words', () => {
  const ran = load('--performance modelled --performance-level PL3 --disk-size 20G');
  expect(ran.code).not.toBe(0);
  expect(ran.stderr).toContain('OperationDenied.PerformanceLevelNotMatch');
  const unknown = load('--category cloud_floppy');
  expect(unknown.code).not.toBe(0);
  expect(unknown.stderr).toContain('cloud_floppy');
});
