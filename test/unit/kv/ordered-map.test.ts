import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { OrderedMap } from '../../../src/kv/ordered-map.ts';

const name = (value: number): string => String(value).padStart(8, '0');
const all = <V>(map: OrderedMap<V>): [string, V][] => [...map.entries('', '\x7f', false, 0)];

describe('an ordered map', () => {
  test('holds 20,000 keys in order through insertions and deletions in any order', () => {
    const prng = createPrng(1);
    const map = new OrderedMap<number>();
    const model = new Map<string, number>();
    for (let step = 0; step < 60_000; step++) {
      const key = name(prng.nextBelow(20_000));
      if (prng.nextFloat() < 0.4) {
        expect(map.delete(key)).toBe(model.delete(key));
      } else {
        map.set(key, step);
        model.set(key, step);
      }
    }
    expect(map.size).toBe(model.size);
    expect(all(map)).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)));
    for (const key of model.keys()) map.delete(key);
    expect(map.size).toBe(0);
    expect(all(map)).toEqual([]);
    expect(map.get(name(1))).toBeUndefined();
  });

  test('walks exactly the keys between two bounds, however many leaves they span', () => {
    const map = new OrderedMap<number>();
    const count = 2_000;
    for (let i = 0; i < count; i++) map.set(name(i * 2), i);
    const sorted = Array.from({ length: count }, (_, i) => name(i * 2));
    const bound = fc.nat({ max: count * 2 + 1 });
    fc.assert(
      fc.property(bound, bound, fc.boolean(), fc.nat({ max: 700 }), (from, to, isAfter, skip) => {
        const [start, end] = [name(from), name(to)];
        const expected = sorted.filter(
          (key) => (isAfter ? key > start : key >= start) && key < end,
        );
        const found = [...map.entries(start, end, isAfter, skip)].map(([key]) => key);
        expect(found).toEqual(expected.slice(skip));
      }),
      { numRuns: 300 },
    );
  });
});
