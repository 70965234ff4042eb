/** What is read from the output of a measured program, and what is refused. */
import { describe, expect, test } from 'vitest';
import { type Reading, readEnvironment, readMeasurements } from '../../../src/gate/metric.ts';

const side = (ios: number, iops: number) => ({
  total_ios: ios,
  iops,
  bw_bytes: iops * 4096,
  clat_ns: { mean: 900, percentile: { '50.000000': 800, '99.000000': 5000 } },
});
const report = (error = 0) =>
  JSON.stringify({
    jobs: [{ jobname: 'db', error, read: side(70, 700), write: side(30, 300) }],
    sealdisk: { environment: { node: '20', cores: 2 } },
  });
const load: Reading = { kind: 'load', metrics: ['iops', 'bw', 'mean', 'p50', 'p99'] };
const number = (path: string): Reading => ({ kind: 'number', path, isBiggerBetter: false });

test('of a load report: rates of both directions together, latencies of the busier', () => {
  const read = readMeasurements(report(), load, 'it');
  expect(read.map(({ name, value, isBiggerBetter }) => [name, value, isBiggerBetter])).toEqual([
    ['db iops', 1000, true],
    ['db bw', 4_096_000, true],
    ['db mean', 900, false],
    ['db p50', 800, false],
    ['db p99', 5000, false],
  ]);
  expect(readEnvironment(report(), 'it')).toEqual({ node: '20', cores: 2 });
});

test('of a load report: processor time of all threads, a request', () => {
  const cpu: Reading = { kind: 'load', metrics: ['cpu'] };
  const cost = '"job_runtime":250,"usr_cpu":100,"sys_cpu":20,"jobname"';
  const [read] = readMeasurements(report().replace('"jobname"', cost), cpu, 'it');
  // 1.2 cores for 250 ms, by 100 requests.
  expect(read).toMatchObject({ name: 'db cpu', unit: 'ns', isBiggerBetter: false, value: 3e6 });
  expect(() => readMeasurements(report(), cpu, 'it')).toThrow('expected db cpu above 0, got NaN');
});

test('a number by itself on the last line, or at a path', () => {
  expect(readMeasurements('talk\n12.5\n', number(''), 'it')[0]).toMatchObject({
    name: 'number',
    value: 12.5,
    isBiggerBetter: false,
  });
  expect(readMeasurements('{"a":[{"b":3}]}', number('a.0.b'), 'it')[0]!.value).toBe(3);
});

describe('refused', () => {
  test.each([
    ['', load, 'it: expected one JSON document on stdout'],
    ['{}', load, 'it: expected a report of sealdisk load --json'],
    ['{"jobs":[]}', load, 'it: expected a report of sealdisk load --json'],
    [report(5), load, 'it: expected a job without errors, got error 5'],
    ['', number(''), 'it: expected number above 0, got NaN'],
    ['0', number(''), 'it: expected number above 0, got 0'],
    ['-1', number(''), 'it: expected number above 0, got -1'],
    ['{"a":"1"}', number('a'), 'it: expected a number at a, got string'],
    ['{"a":null}', number('a.b.c'), 'it: expected a number at a.b.c, got undefined'],
  ] as const)('%j', (text, reading, message) => {
    expect(() => readMeasurements(text, reading, 'it')).toThrow(message);
  });

  test('a percentile that is not in the report, and a report without an environment', () => {
    const text = report().replaceAll('99.000000', '90.000000');
    expect(() => readMeasurements(text, load, 'it')).toThrow('db p99 above 0, got NaN');
    expect(() => readEnvironment('{"jobs":[]}', 'it')).toThrow('an environment in its report');
  });
});
