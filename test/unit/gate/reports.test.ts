/**
 * A report of the gate in every form: as text, and against the documented schemas of its readers.
 */
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
    tookSeconds: 31.4,
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

test('text has a line a metric, why, and what would settle it', async () => {
  await expect(gateText(report)).toMatchFileSnapshot('golden/report.txt');
  const elsewhere = {
    ...report,
    environmentChanges: [{ name: 'cpu', baseline: 'x', current: null }],
  };
  expect(gateText(elsewhere)).toContain('\n   cpu: x, now none\n');
});

describe('for other tools', () => {
  test('JUnit: a failure for a regression, skipped for cannot tell, escaped', async () => {
    await expect(gateJunit(report, 'gate & co')).toMatchFileSnapshot('golden/junit.xml');
  });

  test('GitHub annotations are escaped, and there is none for no regression', async () => {
    await expect(gateAnnotations(report)).toMatchFileSnapshot('golden/annotations.txt');
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
