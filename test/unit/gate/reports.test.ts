/** A report of the gate in every form: as text, and against the documented schemas of its readers. */
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { type GateReport, reportOfRounds } from '../../../src/gate/gate-report.ts';
import {
  gateActionBenchmark,
  gateAnnotations,
  gateBencher,
  gateJunit,
} from '../../../src/gate/report-exchange.ts';
import { gateText } from '../../../src/gate/report-text.ts';
import type { Round } from '../../../src/gate/rounds.ts';
import { DEFAULT_TERMS, type Judgement } from '../../../src/gate/verdict.ts';

const rounds: Round[] = [
  { a: [100_000, 110_000], b: [90_000, 95_000] },
  { a: [104_000, 106_000], b: [93_000, 95_000] },
];
const latencies: Round[] = [{ a: [250_000, 260_000], b: [251_000, 259_000] }];

const base: Judgement = {
  verdict: 'regression',
  because: 'it is slower, and by more than is tolerated',
  change: -0.1012,
  low: -0.13,
  high: -0.071,
  level: 0.01,
  p: 0.0005,
  smallest: 0.052,
  rounds: 2,
  repeats: 2,
};

const report: GateReport = reportOfRounds(
  {
    a: 'HEAD~1, commit 0123456789ab',
    b: 'HEAD, commit ba9876543210',
    terms: DEFAULT_TERMS,
    seconds: 60,
    seed: 7,
    environmentChanges: [],
  },
  [
    {
      metric: { name: 'randwrite-4k iops', unit: '1/s', isBiggerBetter: true },
      rounds,
      judgement: base,
    },
    {
      metric: { name: 'a "read" <4k> p50', unit: 'ns', isBiggerBetter: false },
      rounds: latencies,
      judgement: {
        ...base,
        verdict: 'cannot tell',
        because: 'there are too few rounds for an interval',
        change: 0.002,
        low: null,
        high: null,
        smallest: null,
        rounds: 1,
        repeats: 8,
      },
    },
    {
      metric: { name: 'number', unit: '', isBiggerBetter: true },
      rounds,
      judgement: { ...base, verdict: 'improvement', because: 'x: 5 %, faster', change: 0.05 },
    },
    {
      metric: { name: 'border', unit: '', isBiggerBetter: true },
      rounds,
      judgement: { ...base, verdict: 'cannot tell', because: 'noise', repeats: null },
    },
    {
      metric: { name: 'same iops', unit: '1/s', isBiggerBetter: true },
      rounds,
      judgement: { ...base, verdict: 'no regression', because: 'nothing', change: 0 },
    },
  ],
);

test('the verdict is the gravest, with its exit code and every raw turn', () => {
  expect(report).toMatchObject({ schema: 'sealdisk-gate/1', verdict: 'regression', exitCode: 1 });
  expect(report.rows[0]!.turns.b).toEqual([90_000, 95_000, 93_000, 95_000]);
  expect([report.rows[0]!.a, report.rows[0]!.b]).toEqual([105_000, 94_000]);
});

test('text has a line a metric, why, and what would settle it', () => {
  expect(gateText(report)).toMatchInlineSnapshot(`
    "A  HEAD~1, commit 0123456789ab
    B  HEAD, commit ba9876543210

    metric                 A      B  B against A           interval  would have seen  rounds  verdict
    randwrite-4k iops   105k  94.0k      -10.1 %  -13.0 % to -7.1 %           -5.2 %       2  regression
    a "read" <4k> p50  255us  255us       +0.2 %               none          nothing       1  cannot tell
    number              105k  94.0k       +5.0 %  -13.0 % to -7.1 %           -5.2 %       2  improvement
    border              105k  94.0k      -10.1 %  -13.0 % to -7.1 %           -5.2 %       2  cannot tell
    same iops           105k  94.0k       +0.0 %  -13.0 % to -7.1 %           -5.2 %       2  no regression

    randwrite-4k iops: regression (-10.1 %): it is slower, and by more than is tolerated; a loss of 5.2 % would have been seen 9 times in 10
    a "read" <4k> p50: cannot tell (+0.2 %): there are too few rounds for an interval; about 8 rounds would settle it, 1 were made
    number: improvement (+5.0 %): x: 5 %, faster; a loss of 5.2 % would have been seen 9 times in 10
    border: cannot tell (-10.1 %): noise; a loss of 5.2 % would have been seen 9 times in 10; no number of rounds would settle it
    same iops: no regression (+0.0 %): nothing; a loss of 5.2 % would have been seen 9 times in 10
    tolerance 3 %, level 2 %, seed 7; below 0: B is slower

    regression
    "
  `);
  const elsewhere = {
    ...report,
    environmentChanges: [{ name: 'cpu', baseline: 'x', current: null }],
  };
  expect(gateText(elsewhere)).toContain('\n   cpu: x, now none\n');
});

describe('for other tools', () => {
  test('JUnit: a failure for a regression, skipped for cannot tell, escaped', () => {
    expect(gateJunit(report, 'gate & co')).toMatchInlineSnapshot(`
      "<?xml version="1.0" encoding="UTF-8"?>
      <testsuites tests="5" failures="1" errors="0" skipped="2" time="60.000">
        <testsuite name="gate &amp; co" tests="5" failures="1" errors="0" skipped="2" time="60.000">
          <testcase classname="randwrite-4k" name="iops" time="0">
            <failure type="regression" message="regression (-10.1 %): it is slower, and by more than is tolerated; a loss of 5.2 % would have been seen 9 times in 10"/>
          </testcase>
          <testcase classname="a &quot;read&quot; &lt;4k&gt;" name="p50" time="0">
            <skipped message="cannot tell (+0.2 %): there are too few rounds for an interval; about 8 rounds would settle it, 1 were made"/>
          </testcase>
          <testcase classname="number" name="value" time="0"/>
          <testcase classname="border" name="value" time="0">
            <skipped message="cannot tell (-10.1 %): noise; a loss of 5.2 % would have been seen 9 times in 10; no number of rounds would settle it"/>
          </testcase>
          <testcase classname="same" name="iops" time="0"/>
        </testsuite>
      </testsuites>
      "
    `);
  });

  test('GitHub annotations are escaped, and there is none for no regression', () => {
    expect(gateAnnotations(report)).toMatchInlineSnapshot(`
      "::error title=randwrite-4k iops%3A regression::regression (-10.1 %25): it is slower, and by more than is tolerated; a loss of 5.2 %25 would have been seen 9 times in 10
      ::warning title=a "read" <4k> p50%3A cannot tell::cannot tell (+0.2 %25): there are too few rounds for an interval; about 8 rounds would settle it, 1 were made
      ::notice title=number%3A improvement::improvement (+5.0 %25): x: 5 %25, faster; a loss of 5.2 %25 would have been seen 9 times in 10
      ::warning title=border%3A cannot tell::cannot tell (-10.1 %25): noise; a loss of 5.2 %25 would have been seen 9 times in 10; no number of rounds would settle it
      "
    `);
  });

  test('the Bencher Metric Format is as its schema says', () => {
    // https://bencher.dev/bmf.json
    const schema = {
      type: 'object',
      patternProperties: {
        '.+': {
          type: 'object',
          patternProperties: {
            '.+': {
              type: 'object',
              properties: {
                value: { type: 'number' },
                lower_value: { type: 'number' },
                upper_value: { type: 'number' },
              },
              required: ['value'],
            },
          },
        },
      },
    };
    const document = gateBencher(report);
    expect(new Ajv().validate(schema, document)).toBe(true);
    expect(document['randwrite-4k']).toEqual({
      iops: { value: 94_000, lower_value: 91_500, upper_value: 95_000 },
    });
    expect(Object.keys(document)).toContain('number');
    expect(document.number).toHaveProperty('value.value', 94_000);
  });

  test('github-action-benchmark: name, unit and value of each, range and extra as text', () => {
    const schema = {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'unit', 'value'],
        additionalProperties: false,
        properties: {
          name: { type: 'string', minLength: 1 },
          unit: { type: 'string', minLength: 1 },
          value: { type: 'number' },
          range: { type: 'string' },
          extra: { type: 'string' },
        },
      },
    };
    const document = gateActionBenchmark(report);
    expect(new Ajv().validate(schema, document)).toBe(true);
    expect(document[0]).toMatchObject({ name: 'randwrite-4k iops', unit: '1/s', value: 94_000 });
    expect(document[0]!.range).toBe('± 1750');
  });
});
