import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { MismatchLog } from '../../../src/load/disk-verifier.ts';
import { isClean, type LoadReport, mergeLogs, reportClones } from '../../../src/load/report.ts';
import {
  errorDocument,
  REPORT_SCHEMA_ID,
  reportDocument,
  reportJson,
} from '../../../src/load/report-json.ts';
import { REPORT_SCHEMA } from '../../../src/load/report-schema.ts';
import { comparisonTable, reportTable } from '../../../src/load/report-table.ts';
import { createMemoryTarget } from '../../../src/load/target.ts';
import { faultyTarget, runJobs } from './doubles.ts';
import { fio, fioAbsent } from './fio-oracle.ts';

const validate = new Ajv2020({ allErrors: true }).compile(REPORT_SCHEMA);

async function reportOf(text: string, target = createMemoryTarget()): Promise<LoadReport> {
  return {
    version: '1.2.3',
    timestampMs: 1_795_312_488_932,
    globalOptions: { bs: '4k' },
    jobs: reportClones(await runJobs(text, target)),
    comparison: null,
    overhead: null,
    isPartial: false,
    notes: ['a note'],
    environment: { node: '20', cores: 2 },
  };
}

interface Document {
  readonly jobs: Record<string, never>[];
}

const parse = (report: LoadReport): Document => JSON.parse(reportJson(report)) as Document;

test('what is printed is valid by the schema, and the schema is not lax', async () => {
  const report = await reportOf(
    '[a]\nrw=randrw\nbs=4k\nsize=64k\nfsync=2\nverify=crc32c\n[b]\nrw=trim\nsize=64k',
  );
  const document = parse(report);
  expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
  expect(validate({ ...document, jobs: [{ jobname: 'a' }] })).toBe(false);
  expect(validate({ ...document, sealdisk: {} })).toBe(false);
  expect(validate({})).toBe(false);
});

test('failed, mismatched, partial and compared runs are valid too', async () => {
  const failed = await reportOf('[a]\nrw=write\nsize=64k', faultyTarget({ failWrite: 3 }));
  const wrong = await reportOf(
    '[a]\nrw=write\nsize=64k\nverify=crc32c',
    faultyTarget({ dropWrite: 3 }),
  );
  const rate = { requestsPerSecond: 10.5, bytesPerSecond: 1e6, p50Ns: 5, p99Ns: 9 };
  const ratioToPlain = { all: 0.9, least: 0.8, most: 1.1 };
  const comparison = [
    {
      workload: 'w',
      encrypted: rate,
      plain: rate,
      naive: null,
      ratioToPlain,
      ratioToNaive: null,
      overhead: null,
    },
    {
      workload: 'x',
      encrypted: null,
      plain: null,
      naive: rate,
      ratioToPlain: null,
      ratioToNaive: 2,
      overhead: null,
    },
  ];
  for (const report of [failed, wrong, { ...wrong, isPartial: true, comparison, jobs: [] }]) {
    expect(validate(parse(report)), JSON.stringify(validate.errors)).toBe(true);
  }
  expect(parse(failed).jobs[0]).toMatchObject({
    error: 28,
    sealdisk: { error: { code: 'NoSpace', message: 'the double is full' } },
  });
  expect(parse(wrong).jobs[0]).toMatchObject({
    error: 84,
    sealdisk: {
      verify: {
        mismatches: 8,
        first: Array(8).fill({ disk: 'a.0.0', expected: 'version 3', got: 'zeros' }),
      },
    },
  });
  expect([
    isClean(failed),
    isClean(wrong),
    isClean(await reportOf('[a]\nrw=write\nsize=64k')),
  ]).toEqual([false, false, true]);
});

test('the numbers add up', async () => {
  const report = await reportOf('[a]\nrw=write\nbs=4k\nsize=1m\niodepth=4');
  const document = reportDocument(report) as Record<string, never>;
  expect(document).toMatchObject({
    'sealdisk version': '1.2.3',
    timestamp: 1_795_312_488,
    'global options': { bs: '4k' },
    sealdisk: {
      schema: REPORT_SCHEMA_ID,
      partial: false,
      notes: ['a note'],
      comparison: null,
      overhead: null,
    },
  });
  const { write } = parse(report).jobs[0] as unknown as {
    write: Record<string, number> & {
      clat_ns: { N: number; min: number; mean: number; max: number; percentile: object };
    };
  };
  expect(write).toMatchObject({ io_bytes: 1048576, io_kbytes: 1024, total_ios: 256, short_ios: 0 });
  const runtime = report.jobs[0]!.stats.direction(1).runtimeMs;
  expect(write.iops).toBeCloseTo(256 / (runtime / 1e3), 6);
  expect(write.bw_bytes).toBe(Math.round(1048576 / (runtime / 1e3)));
  expect(write.clat_ns.N).toBe(256);
  expect(write.clat_ns.min).toBeLessThanOrEqual(write.clat_ns.mean);
  expect(write.clat_ns.mean).toBeLessThanOrEqual(write.clat_ns.max);
  expect(Object.keys(write.clat_ns.percentile)).toContain('99.950000');
});

test('percentile_list chooses the percentiles', async () => {
  const report = await reportOf('[a]\nrw=write\nsize=64k\npercentile_list=50:99.999');
  expect(report.jobs[0]!.percentiles).toEqual([50, 99.999]);
  expect(reportJson(report)).toContain('"99.999000"');
});

test('group_reporting makes one entry of a group, otherwise each clone has its own', async () => {
  const text = '[global]\nsize=64k\nrw=write\n[a]\nnumjobs=3';
  expect((await reportOf(text)).jobs.map(({ clones }) => clones)).toEqual([1, 1, 1]);
  const [group, ...rest] = (await reportOf(`${text}\ngroup_reporting\n[b]\nnew_group`)).jobs;
  expect([group!.clones, group!.disks, group!.stats.direction(1).requests]).toEqual([
    3,
    ['a.0.0', 'a.1.0', 'a.2.0'],
    48,
  ]);
  expect(rest.map(({ name, groupId }) => [name, groupId])).toEqual([['b', 1]]);
});

test.skipIf(fioAbsent !== '')(
  `every field fio gives a direction is there ${fioAbsent}`,
  async () => {
    const output = fio(
      '--name=a',
      '--ioengine=null',
      '--size=1m',
      '--rw=randrw',
      '--output-format=json',
    );
    const theirs = (JSON.parse(output) as Document).jobs[0]! as Record<string, object>;
    const ours = parse(await reportOf('[a]\nrw=randrw\nsize=1m')).jobs[0]! as Record<
      string,
      object
    >;
    for (const direction of ['read', 'write', 'trim'] as const) {
      expect(Object.keys(ours[direction]!)).toEqual(
        expect.arrayContaining(Object.keys(theirs[direction]!)),
      );
    }
    const common = [
      'jobname',
      'groupid',
      'error',
      'elapsed',
      'job options',
      'sync',
      'job_runtime',
      'usr_cpu',
      'sys_cpu',
      'ctx',
    ];
    expect(Object.keys(theirs)).toEqual(expect.arrayContaining(common));
    expect(Object.keys(ours)).toEqual(expect.arrayContaining(common));
  },
);

test('errors of ours keep their code, others are told as they are', () => {
  expect(errorDocument(null)).toBeNull();
  expect(errorDocument(new PlaneError('Busy', 'full'))).toEqual({ code: 'Busy', message: 'full' });
  expect(errorDocument(new Error('odd'))).toEqual({ code: 'Error', message: 'odd' });
  expect(errorDocument('text')).toEqual({ code: 'Error', message: 'text' });
});

test('the table has a line for each direction used, and says what went wrong', async () => {
  const text = '[a]\nrw=randrw\nsize=64k\n[b]\nrw=write\nbs=4k\nsize=64k\nverify=crc32c';
  const report = await reportOf(text, faultyTarget({ dropWrite: 5 }));
  const lines = reportTable({ ...report, isPartial: true }).split('\n');
  expect(lines[0]).toMatch(/^job +target +op +IOPS +MB\/s +mean +p50 +p99 +p99\.9 +max +requests$/);
  expect(lines.filter((line) => /^a +memory +(read|write) /.test(line))).toHaveLength(2);
  const all = lines.join('\n');
  expect(all).toMatch(/b: verified 128 units of 512 bytes: 8 mismatches/);
  expect(all).toMatch(/disk b\.0\.0, offset \d+: expected version \d+, got zeros/);
  expect(all).toMatch(/b: VerifyMismatch: disk b\.0\.0/);
  expect(all).toContain('partial: interrupted');
});

test('a job that did nothing has a line of dashes', async () => {
  const report = await reportOf('[a]\nrw=write\nsize=64k', faultyTarget({ failWrite: 1 }));
  expect(reportTable(report)).toMatch(/^a +memory +- +- /m);
});

test('mismatches beyond the first ten are counted', () => {
  const log = new MismatchLog();
  for (let at = 0; at < 15; at++)
    log.add({ diskName: 'd', offsetBytes: at, expected: 'x', got: 'y' });
  const merged = mergeLogs([log, log]);
  expect([merged.count, merged.first.length]).toEqual([30, 10]);
});

test('the comparison has a row for each workload', () => {
  const rate = {
    requestsPerSecond: 412_345,
    bytesPerSecond: 1.689e9,
    p50Ns: 288_123,
    p99Ns: 1_456_789,
  };
  const naive = { ...rate, requestsPerSecond: 21_000 };
  const ratioToPlain = { all: 0.871, least: 0.85, most: 0.9 };
  const table = comparisonTable([
    {
      workload: 'randwrite-4k',
      encrypted: rate,
      plain: rate,
      naive,
      ratioToPlain,
      ratioToNaive: 19.6,
      overhead: null,
    },
    {
      workload: 'read-128k',
      encrypted: rate,
      plain: null,
      naive: null,
      ratioToPlain: null,
      ratioToNaive: null,
      overhead: null,
    },
  ]);
  expect(table).toMatch(
    /randwrite-4k +412k +1689 +288us +1\.46ms +412k .* 0\.87 \(0\.85-0\.90\) +21\.0k .* 19\.6x/,
  );
  expect(table).toMatch(/read-128k +412k .* - +- +-/);
});

test('the cost of encryption is one line, and one for each of several workloads', async () => {
  const report = await reportOf('[a]\nrw=read\nsize=64k');
  const overhead = { percent: 12.34, low: 11.1, high: 13.5, smallest: 1.75, pairs: 19 };
  const row = { ...ROW_FOR_OVERHEAD, overhead };
  const text = reportTable({ ...report, comparison: [row], overhead });
  expect(text).toContain(
    'overhead: encryption costs 12.3 % of the requests a second (95 % interval 11.1 to 13.5; ' +
      'smallest effect this run could have seen 1.8 %; 19 paired turns)',
  );
  expect(text).not.toContain('none at all');
  const doubtful = { ...overhead, low: -1 };
  const doubted = reportTable({ ...report, comparison: [row], overhead: doubtful });
  expect(doubted).toContain('19 paired turns); this may be none at all');
  const two = reportTable({ ...report, comparison: [row, row], overhead });
  expect(two.match(/encryption costs/g)).toHaveLength(3);
  const document = reportDocument({ ...report, comparison: [row], overhead });
  expect(document).toMatchObject({ sealdisk: { overhead, comparison: [{ overhead }] } });
});

const ROW_FOR_OVERHEAD = {
  workload: 'w',
  encrypted: null,
  plain: null,
  naive: null,
  ratioToPlain: null,
  ratioToNaive: null,
};
