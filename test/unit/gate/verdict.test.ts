/** The verdict table: total, and each row taken; what goes with a verdict, by worked numbers. */
import { describe, expect, test } from 'vitest';
import { signedRankShift } from '../../../src/gate/statistics.ts';
import {
  EXIT_CODES,
  judge,
  overall,
  roundsFor,
  ruleFor,
  VERDICT_RULES,
} from '../../../src/gate/verdict.ts';

const INTERVALS = ['unbounded', 'below zero', 'around zero', 'above zero'] as const;
const WORSTS = ['tolerable', 'intolerable'] as const;
const ESTIMATES = ['loss', 'small', 'gain'] as const;

test('exactly one rule is for each of all 24 cases', () => {
  for (const interval of INTERVALS) {
    for (const worst of WORSTS) {
      for (const estimate of ESTIMATES) {
        const rows = VERDICT_RULES.filter(
          (row) =>
            row.interval === interval &&
            row.worst.includes(worst) &&
            row.estimate.includes(estimate),
        );
        expect(rows, `${interval}, ${worst}, ${estimate}`).toHaveLength(1);
      }
    }
  }
});

test.each([
  [-0.08, -0.05, -0.02, 'regression'],
  [-0.029, -0.02, -0.01, 'no regression'],
  [-0.05, -0.02, -0.001, 'cannot tell'],
  [-0.01, 0, 0.01, 'no regression'],
  [-0.05, -0.04, 0, 'cannot tell'],
  [-0.2, 0.1, 0.3, 'cannot tell'],
  [0.01, 0.05, 0.09, 'improvement'],
  [0.001, 0.01, 0.02, 'no regression'],
  [Number.NEGATIVE_INFINITY, -0.5, Number.POSITIVE_INFINITY, 'cannot tell'],
] as const)('%f to %f to %f at 3 %% is: %s', (low, estimate, high, verdict) => {
  expect(ruleFor({ low, estimate, high, p: 0 }, 0.03).verdict).toBe(verdict);
});

describe('a judgement', () => {
  const terms = { tolerance: 0.03, level: 0.05 };
  const subject = (differences: number[]) => ({
    rounds: differences.length,
    shift: (level: number) => signedRankShift(differences, level),
  });

  test('of a clear loss has the effect, the interval and what would have been seen', () => {
    const around = Array.from({ length: 10 }, (_, at) => Math.log(0.9) + (at - 4.5) / 1000);
    const [judgement] = judge([subject(around)], terms);
    expect(judgement).toMatchObject({ verdict: 'regression', rounds: 10, repeats: 10 });
    expect(judgement!.change).toBeCloseTo(-0.1, 6);
    expect(judgement!.low!).toBeLessThan(-0.1);
    expect(judgement!.high!).toBeGreaterThan(-0.1);
    expect(judgement!.smallest!).toBeGreaterThan(0.03);
    expect(judgement!.smallest!).toBeLessThan(0.034);
  });

  test('of noise says how many rounds would settle it', () => {
    const noisy = Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? 0.1 : -0.1) + at / 1e6);
    const [judgement] = judge([subject(noisy)], terms);
    expect(judgement!.verdict).toBe('cannot tell');
    const half = (Math.log1p(judgement!.high!) - Math.log1p(judgement!.low!)) / 2;
    const room = Math.log1p(judgement!.change) - Math.log(0.97);
    expect(judgement!.repeats).toBe(Math.ceil(20 * (half / room) ** 2));
  });

  test('on the border is settled by no number of rounds', () => {
    const border = Math.log(0.97) + 1e-9;
    const around = Array.from({ length: 9 }, (_, at) => border + (at - 4) / 10);
    expect(judge([subject(around)], terms)[0]!.repeats).toBeNull();
  });

  test('of a few rounds cannot tell, and says how many there must be', () => {
    const [judgement] = judge([subject([-1, -1.1, -1.2])], terms);
    expect(judgement).toMatchObject({ verdict: 'cannot tell', low: null, high: null, repeats: 6 });
    expect(judgement!.smallest).toBeNull();
    expect([roundsFor(0.05), roundsFor(0.02), roundsFor(0.01)]).toEqual([6, 7, 8]);
  });

  test('of several metrics is at levels corrected for their number', () => {
    const same = [0.01, -0.011, 0.012, -0.013, 0.014, -0.015, 0.016, -0.017];
    const judgements = judge([subject(same), subject(same)], terms);
    expect(judgements.map(({ level }) => level)).toEqual([0.025, 0.025]);
  });
});

test('of several verdicts the gravest is that of all, and nothing is no pass', () => {
  const made = (...verdicts: (keyof typeof EXIT_CODES)[]) =>
    overall(verdicts.map((verdict) => ({ verdict }) as never));
  expect(made('improvement', 'cannot tell', 'regression')).toBe('regression');
  expect(made('improvement', 'cannot tell')).toBe('cannot tell');
  expect(made('no regression', 'improvement')).toBe('improvement');
  expect(made('no regression')).toBe('no regression');
  expect(made()).toBe('cannot tell');
  expect(EXIT_CODES).toEqual({
    regression: 1,
    improvement: 0,
    'no regression': 0,
    'cannot tell': 3,
  });
});
