import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAliasTable, drawAlias, MIX_VALUES_MAX } from '../../../src/fleet/alias-table.ts';

/** What share of all draws gives each value: counted from the table, not from draws. */
function sharesOf(weights: readonly number[]): number[] {
  const { thresholds, aliases } = createAliasTable(weights);
  const shares = new Array<number>(MIX_VALUES_MAX).fill(0);
  for (let column = 0; column < MIX_VALUES_MAX; column++) {
    const own = thresholds[column]! / 2 ** 28 / MIX_VALUES_MAX;
    shares[column]! += own;
    shares[aliases[column]!]! += 1 / MIX_VALUES_MAX - own;
  }
  return shares;
}

test('every value has its share of the draws, and what is no value has none', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 1e6 }), { minLength: 1, maxLength: MIX_VALUES_MAX }),
      (weights) => {
        const sum = weights.reduce((total, weight) => total + weight, 0);
        for (const [value, share] of sharesOf(weights).entries()) {
          expect(Math.abs(share - (weights[value] ?? 0) / sum)).toBeLessThan(1e-8);
        }
      },
    ),
  );
});

test('a draw is the column or its alias', () => {
  const table = createAliasTable([3, 1]);
  for (let column = 0; column < MIX_VALUES_MAX; column++) {
    const first = column * 2 ** 28;
    const last = first + 2 ** 28 - 1;
    expect([0, 1]).toContain(drawAlias(table, first));
    expect([0, 1]).toContain(drawAlias(table, last));
  }
});

test('an empty mix, or one of too many values, is a mistake', () => {
  expect(() => createAliasTable([])).toThrow('1 to 16');
  expect(() => createAliasTable(new Array<number>(17).fill(1))).toThrow('1 to 16');
});
