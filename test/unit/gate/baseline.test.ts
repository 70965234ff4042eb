/** Baselines: what a file must have, the noise floor, and runs held against one. */
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import {
  type MeasuredRun,
  makeBaseline,
  noiseOf,
  parseBaseline,
} from '../../../src/gate/baseline.ts';
import { checkAgainst, environmentChanges } from '../../../src/gate/baseline-check.ts';
import { DEFAULT_TERMS } from '../../../src/gate/verdict.ts';

interface Machine {
  readonly rate?: number;
  /** Of R. */
  readonly speed?: number;
  readonly noise?: number;
  /** From the first turn to the last. */
  readonly drift?: number;
  readonly hash?: string;
  readonly isBiggerBetter?: boolean;
}

/** 48 turns of one job. */
function runOn(seed: number, machine: Machine = {}): MeasuredRun {
  const { rate = 1000, speed = 1, noise = 0.01, drift = 0, hash = 'x' } = machine;
  const { isBiggerBetter = true } = machine;
  const prng = createPrng(seed);
  const turns = Array.from(
    { length: 48 },
    (_, turn) => rate * (1 + noise * (prng.nextFloat() - 0.5)) * (1 + (drift * turn) / 48),
  );
  const calibration = turns.map(() => speed * 2e9);
  const metrics = [{ name: 'w iops', unit: '1/s', isBiggerBetter, turns }];
  return { environment: { cpu: 'x', cores: 2 }, jobs: [{ name: 'w', hash, calibration, metrics }] };
}

const head = { recordedAt: '2026-01-01T00:00:00.000Z', version: '0.1.0', commit: null };
const baseline = makeBaseline(runOn(1), head);
const verdictOf = (run: MeasuredRun, before = baseline) =>
  checkAgainst(before, run, DEFAULT_TERMS)[0]!.judgement;

describe('a check', () => {
  test('says what is slower, faster, or as fast', () => {
    expect(verdictOf(runOn(2)).verdict).toBe('no regression');
    const slower = verdictOf(runOn(3, { rate: 900 }));
    expect(slower.verdict).toBe('regression');
    expect(slower.change).toBeCloseTo(-0.1, 2);
    expect(verdictOf(runOn(4, { rate: 1100 })).verdict).toBe('improvement');
  });

  test('of latencies has the other direction', () => {
    const latency = makeBaseline(runOn(1, { isBiggerBetter: false }), head);
    const run = runOn(2, { isBiggerBetter: false, rate: 900 });
    expect(verdictOf(run, latency).verdict).toBe('improvement');
  });

  test('on a machine half as fast cannot tell: the interval holds both ways to see it', () => {
    const same = verdictOf(runOn(2, { speed: 0.5, rate: 500 }));
    expect(same.verdict).toBe('cannot tell');
    expect(same.low!).toBeLessThan(-0.49);
    expect(same.high!).toBeGreaterThan(-0.02);
    // Slower than either explains.
    expect(verdictOf(runOn(2, { speed: 0.5, rate: 300 })).verdict).toBe('regression');
  });

  test('is less sure by what the machine moves within a run', () => {
    const loss = { rate: 960 };
    expect(verdictOf(runOn(2, loss)).verdict).toBe('regression');
    expect(verdictOf(runOn(2, { ...loss, drift: 0.15 })).verdict).toBe('cannot tell');
  });

  test('is refused for a job that is not the one recorded', () => {
    expect(() => verdictOf(runOn(1, { hash: 'y' }))).toThrow(
      'the baseline: expected w as it was recorded, x, got y',
    );
    const [job] = runOn(1).jobs;
    const other = { ...runOn(1), jobs: [{ ...job!, name: 'r' }] };
    expect(() => verdictOf(other)).toThrow('the baseline: expected a job w, got r');
    const renamed = { ...runOn(1), jobs: [{ ...job!, metrics: [] }] };
    expect(() => checkAgainst(baseline, renamed, DEFAULT_TERMS)).toThrow('expected the metrics');
  });
});

test('over 200 pairs of runs without a change at most one in twenty is called one', () => {
  let alarms = 0;
  for (let seed = 0; seed < 200; seed++) {
    const before = makeBaseline(runOn(2 * seed, { noise: 0.3 }), head);
    const { verdict } = verdictOf(runOn(2 * seed + 1, { noise: 0.3 }), before);
    if (verdict === 'regression' || verdict === 'improvement') alarms += 1;
  }
  expect(alarms).toBeLessThanOrEqual(10);
});

test('environments differ by name, then, now', () => {
  expect(environmentChanges({ cpu: 'x', cores: 2 }, { cpu: 'x', cores: 2 })).toEqual([]);
  expect(environmentChanges({ cpu: 'x', cores: 2 }, { cpu: 'y', node: '22' })).toEqual([
    { name: 'cpu', baseline: 'x', current: 'y' },
    { name: 'cores', baseline: 2, current: null },
    { name: 'node', baseline: null, current: '22' },
  ]);
});

describe('the noise floor', () => {
  test('is what an A/A comparison finds, and how far the turns drift', () => {
    const [quiet, noisy] = [0.01, 0.4].map((noise) =>
      noiseOf(runOn(1, { noise }).jobs[0]!.metrics[0]!),
    );
    expect(quiet!.low!).toBeLessThan(0);
    expect(quiet!.high!).toBeGreaterThan(0);
    expect(quiet!.smallest!).toBeLessThan(0.05);
    expect(noisy!.smallest!).toBeGreaterThan(0.05);
    const drifting = noiseOf(runOn(1, { drift: 0.2 }).jobs[0]!.metrics[0]!);
    expect(drifting.drift).toBeCloseTo(Math.log(1.15 / 1.05), 1);
  });

  test('of a few turns is not known', () => {
    const metric = { name: 'w', unit: '', isBiggerBetter: true, turns: [1, 2, 3, 4] };
    expect(noiseOf(metric)).toMatchObject({ low: null, high: null, smallest: null });
  });
});

describe('a baseline file', () => {
  const text = JSON.stringify(baseline);

  test('is read as it was written', () => {
    expect(parseBaseline(text, 'f')).toEqual(baseline);
  });

  test.each([
    ['{', 'f: expected a baseline, got '],
    ['null', 'f: expected sealdisk-gate-baseline/1, got undefined'],
    [text.replace('baseline/1', 'baseline/9'), 'got "sealdisk-gate-baseline/9"'],
    [text.replace('"recordedAt"', '"recorded"'), 'f: expected "recordedAt" at recordedAt'],
    [text.replace('"cores":2', '"cores":null'), 'at environment.cores, got null'],
    [text.replace('"hash":"x"', '"hash":7'), 'at jobs.0.hash, got 7'],
    [text.replace(/"turns":\[/, '"turns":[-1,'), 'f: expected >0 at jobs.0.metrics.0.turns.0'],
    [text.replace(/"jobs":.*/, '"jobs":[]}'), 'at jobs, got 0'],
  ])('%.30s… is refused', (damaged, message) => {
    expect(() => parseBaseline(damaged, 'f')).toThrow(message);
  });
});
