/** Agreement of two figures: a margin that was said beforehand, and what each interval means. */
import { describe, expect, test } from 'vitest';
import { AGREEMENT_RULES, agreementOf } from '../../../bench/agreement.ts';
import { studentQuantile } from '../../../src/load/paired-overhead.ts';

const ratio = (low: number, high: number, pairs = 8) => ({
  mean: Math.sqrt(low * high),
  low,
  high,
  pairs,
});

describe('the verdict on an interval', () => {
  test.each([
    // A rate that both were told to keep: a thousandth apart for certain, and the same.
    [1.0004, 1.0007, 'agree'],
    [1, 1, 'agree'],
    [0.985, 1.015, 'agree'],
    [1.03, 1.05, 'differ'],
    [0.5, 0.98, 'differ'],
    [0.95, 1.06, 'no difference seen'],
    [0.8, 1.25, 'no difference seen'],
    [0.79, 1.1, 'cannot tell'],
    [0.98, 1.33, 'cannot tell'],
    // Not 1 for certain, but perhaps within the margin.
    [1.005, 1.06, 'cannot tell'],
    [0.9, 0.985, 'cannot tell'],
  ] as const)('%f to %f: %s', (low, high, verdict) => {
    expect(agreementOf(ratio(low, high))).toBe(verdict);
    expect(agreementOf(ratio(1 / high, 1 / low))).toBe(verdict);
  });

  test('agree is the two one-sided tests: t of each bound, against 5 %', () => {
    for (const pairs of [4, 8, 30]) {
      const least = studentQuantile(0.95, pairs - 1);
      for (const t of [0.98 * least, 1.02 * least]) {
        // An estimate of 1 whose standard error has the margin t errors away.
        const error = Math.log(1.02) / t;
        const half = error * studentQuantile(0.975, pairs - 1);
        const verdict = agreementOf(ratio(Math.exp(-half), Math.exp(half), pairs));
        expect(verdict).toBe(t > least ? 'agree' : 'no difference seen');
      }
    }
  });

  test('an interval that agrees never differs, whatever it is', () => {
    const [agree, differ] = AGREEMENT_RULES;
    for (let low = 0.9; low < 1.1; low += 0.003) {
      for (let width = 0; width < 0.2; width += 0.003) {
        const each = ratio(low, low + width);
        expect(agree!.holds(each) && differ!.holds(each)).toBe(false);
      }
    }
  });
});
