/** Looks: what they may spend, all of them together, and when. */
import { expect, test } from 'vitest';
import { spentAt } from '../../../src/gate/looks.ts';

test.each([
  [0, 0],
  [0.49, 0],
  [0.5, 0.25],
  [0.74, 0.25],
  [0.75, 0.5],
  [0.99, 0.5],
  [1, 1],
  [3, 1],
])('at %f of the time %f of the level may be spent', (share, spent) => {
  expect(spentAt(share)).toBe(spent);
});
