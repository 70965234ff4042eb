import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/cli/exit-codes.ts';
import { runOverhead } from '../../../src/cli/overhead.ts';
import {
  jsonOf,
  type SubjectResult,
  sentenceOf,
  tableOf,
  verdictOf,
} from '../../../src/cli/overhead-report.ts';
import { terminalDouble } from './doubles.ts';

const rate = (requestsPerSecond: number) => ({
  requestsPerSecond,
  bytesPerSecond: requestsPerSecond * 4096,
  p50Ns: 250_000,
  p99Ns: 1e6,
});

/** Lost percent: the figure, and the ends of its interval. */
function result(isModelled: boolean, percent: number, low: number, high: number): SubjectResult {
  const overhead = { percent, low, high, smallest: 1, pairs: 12 };
  const row = {
    workload: '4k',
    plain: rate(1000),
    encrypted: rate(990),
    naive: null,
    ratioToPlain: null,
    ratioToNaive: null,
    overhead,
  };
  return { name: isModelled ? 'ESSD PL1' : 'unlimited', isModelled, rows: [row, row], overhead };
}

describe('the claim', () => {
  const slow = result(false, 40, 35, 45);
  test.each([
    ['holds if every interval lies above the floor', [result(true, 0.2, -0.4, 0.8), slow], 0],
    ['does not if one lies below it', [result(true, 0, -1, 1), result(true, 9, 5, 13), slow], 1],
    ['cannot be told of an interval with the floor in it', [result(true, 1, -3, 5), slow], 3],
  ] as const)('%s', (_, results, code) => {
    expect(verdictOf(results)).toBe(code);
    expect(JSON.parse(jsonOf(results, 24, code)).holds).toBe([true, false, null, null][code]);
    expect(sentenceOf(code)).toContain('modelled disks keep 0.97');
  });

  test('is shown with its interval, the other way round than what is lost', () => {
    const text = tableOf([result(true, 0.2, -0.4, 0.8), result(false, 40, 35, 45)]);
    expect(text).toMatch(
      /ESSD PL1 +1\.00k +990 +250us +4\.10 +4\.06 +250us +0\.998 \(0\.992-1\.004\)/,
    );
    expect(text).toMatch(/unlimited .* 0\.600 \(0\.550-0\.650\) +12\n/);
  });

  test('interrupted, what was not done is a dash', () => {
    const nothing = { name: 'unlimited', isModelled: false, rows: [], overhead: null };
    expect(tableOf([nothing])).toMatch(/unlimited( +-){7} +0\n/);
    expect(sentenceOf(130)).toContain('interrupted');
  });
});

describe('the command', () => {
  const openNothing = async (): Promise<never> => {
    throw new Error('no plane is needed for this');
  };

  test.each(['1', '11', '601', 'ten', '-5'])('refuses --seconds %s', async (seconds) => {
    const run = runOverhead({ seconds }, openNothing, terminalDouble(), () => {});
    await expect(run).rejects.toThrow(UsageError);
  });

  test('ends with 130 when it is stopped', async () => {
    const code = await runOverhead({}, openNothing, terminalDouble(), (stop) => stop());
    expect(code).toBe(130);
  });
});
