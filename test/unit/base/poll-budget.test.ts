/** How long a thread looks for work before it sleeps. */
import { describe, expect, test } from 'vitest';
import { PollBudget } from '../../../src/base/poll-budget.ts';

function failedTimes(budget: PollBudget, times: number): number[] {
  return Array.from({ length: times }, () => {
    budget.failed();
    return budget.duration;
  });
}

describe('the time a thread looks for work', () => {
  test('is all of it at first, and as long as work comes', () => {
    const budget = new PollBudget(40);
    budget.succeeded();
    expect(budget.duration).toBe(40);
  });

  test('halves when it was in vain, down to none', () => {
    expect(failedTimes(new PollBudget(40), 5)).toEqual([20, 10, 5, 0, 0]);
  });

  test('is tried again, a little, once in sixteen sleeps', () => {
    const tried = failedTimes(new PollBudget(40), 3 + 64).slice(3);
    expect(tried.filter((duration) => duration === 5)).toHaveLength(4);
    expect(tried.filter((duration) => duration === 0)).toHaveLength(60);
  });

  test('doubles when it was not, up to all of it', () => {
    const budget = new PollBudget(40);
    failedTimes(budget, 4);
    const grown = Array.from({ length: 5 }, () => {
      budget.succeeded();
      return budget.duration;
    });
    expect(grown).toEqual([5, 10, 20, 40, 40]);
  });

  test('is none for ever where there is none to begin with', () => {
    const budget = new PollBudget(0);
    budget.succeeded();
    expect(budget.duration).toBe(0);
    expect(failedTimes(budget, 40).every((duration) => duration === 0)).toBe(true);
  });
});
