/**
 * The matcher in a suite, as its users have it: passing and failing, on runs made up and measured.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bench } from 'tinybench';
import { afterAll, describe, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import {
  inTurns,
  type MeasuredRun,
  measureThroughput,
  readBaseline,
  type TinybenchTask,
  throughputMatchers,
  writeBaseline,
} from '../../../src/vitest.ts';

expect.extend(throughputMatchers);

const directory = mkdtempSync(join(tmpdir(), 'sealdisk-matcher-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** A run of 40 turns near a rate, with noise of 1 %. */
function madeUp(rate: number, seed: number, node = '20'): MeasuredRun {
  const prng = createPrng(seed);
  const near = (typical: number): number => typical * (0.99 + 0.02 * prng.nextFloat());
  const turns = Array.from({ length: 40 }, () => near(rate));
  const calibration = Array.from({ length: 40 }, () => near(2e9));
  const metrics = [{ name: 'throughput', unit: '1/s', isBiggerBetter: true, turns }];
  return { environment: { node }, jobs: [{ name: 'sort', hash: null, calibration, metrics }] };
}

function failureOf(check: () => void): string {
  try {
    check();
  } catch (error) {
    return (error as Error).message;
  }
  return 'it passed';
}

describe('toHoldThroughput', () => {
  const file = join(directory, 'baseline.json');
  writeBaseline(file, madeUp(1000, 1), '1.2.3');
  const baseline = readBaseline(file);

  test('holds what is as fast, or faster', () => {
    expect(madeUp(1000, 2)).toHoldThroughput(baseline);
    expect(madeUp(1200, 3)).toHoldThroughput(baseline);
    expect(madeUp(1000, 2)).toHoldThroughput(madeUp(1000, 5), { strict: true });
  });

  test('does not hold what is slower, and says by how much', () => {
    const message = failureOf(() => expect(madeUp(900, 4)).toHoldThroughput(baseline));
    expect(message).toMatch(/^expected it to be held\n/);
    expect(message).toMatch(/throughput: regression \(-(9|10)\.\d %\): it is slower/);
    expect(madeUp(900, 4)).not.toHoldThroughput(baseline);
    expect(madeUp(900, 4)).toHoldThroughput(baseline, { tolerance: 0.2 });
  });

  test('what cannot be told holds, unless it is to be strict', () => {
    const few = madeUp(900, 6);
    few.jobs[0]!.metrics[0]!.turns.splice(8);
    few.jobs[0]!.calibration.splice(8);
    expect(few).toHoldThroughput(baseline);
    const message = failureOf(() => expect(few).toHoldThroughput(baseline, { strict: true }));
    expect(message).toContain('cannot tell');
  });

  test('a baseline of another environment never holds by itself', () => {
    const elsewhere = madeUp(1000, 7, '22');
    const message = failureOf(() => expect(elsewhere).toHoldThroughput(baseline));
    expect(message).toBe(
      'the baseline is of another environment:\n  node: recorded with 20, here 22',
    );
    expect(elsewhere).toHoldThroughput(baseline, { recalibrate: true });
  });

  test('without a baseline is an error of the caller', () => {
    expect(() => expect(madeUp(1, 1)).toHoldThroughput()).toThrow('expected a baseline, got none');
    expect(() => expect(madeUp(1, 1)).toHoldThroughput(null)).toThrow(TypeError);
  });

  test('a baseline file that is none is refused', () => {
    writeFileSync(file, readFileSync(file, 'utf8').replace('baseline/1', 'baseline/2'));
    expect(() => readBaseline(file)).toThrow(
      `${file}: expected sealdisk-gate-baseline/1, got "sealdisk-gate-baseline/2"`,
    );
  });
});

describe('what is measured here', () => {
  const spin = (rounds: number) => (): number => {
    let sum = 0;
    for (let round = 0; round < rounds; round++) sum += Math.sqrt(round);
    return sum;
  };

  test('less work is no regression, much more is one, in turns', async () => {
    const options = { seconds: 0.5, turnMs: 4 };
    expect(await inTurns(spin(1_000), spin(100_000), options)).toHoldThroughput();
    const slower = await inTurns(spin(100_000), spin(1_000), options);
    expect(failureOf(() => expect(slower).toHoldThroughput())).toContain('regression');
  });

  test('a run of a function has R beside each turn, and can be held against another', async () => {
    const options = { turns: 20, turnMs: 2 };
    const slow = await measureThroughput('spin', spin(100_000), options);
    const fast = await measureThroughput('spin', async () => spin(1_000)(), options);
    const [job] = fast.jobs;
    expect([job!.calibration.length, job!.metrics[0]!.turns.length]).toEqual([20, 20]);
    expect(fast).toHoldThroughput(slow);
  });

  test('tinybench tasks are runs too, if they keep their samples', async () => {
    const bench = new Bench({ time: 60, warmupTime: 5, retainSamples: true });
    bench.add('slow', spin(50_000)).add('fast', spin(1_000));
    await bench.run();
    const [slow, fast] = bench.tasks as unknown as [TinybenchTask, TinybenchTask];
    expect(fast).toHoldThroughput({ name: 'fast', result: slow.result });
    const message = failureOf(() =>
      expect({ name: 'fast', result: slow.result }).toHoldThroughput(fast),
    );
    expect(message).toContain('it is slower');
    expect(() => expect({ latency: { samples: undefined } }).toHoldThroughput(fast)).toThrow(
      'expected 40 samples or more (retainSamples: true), got 0',
    );
  });
});
