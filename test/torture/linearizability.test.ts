/** The checker of registers: histories known to be linearizable, and known not to be. */
import { expect, test } from 'vitest';
import { createPrng, type Prng } from '../../src/base/prng.ts';
import { findNonLinearizable, type RegisterRequest } from './linearizability.ts';

const write = (value: number, begun: number, ended: number): RegisterRequest => ({
  kind: 'write',
  value,
  begun,
  ended,
});
const read = (value: number, begun: number, ended: number): RegisterRequest => ({
  kind: 'read',
  value,
  begun,
  ended,
});

const LINEARIZABLE: Readonly<Record<string, readonly RegisterRequest[]>> = {
  'nothing happens': [],
  'a read of what it began with': [read(0, 1, 2)],
  'one after the other': [write(1, 1, 2), read(1, 3, 4), write(2, 5, 6), read(2, 7, 8)],
  'a read beside a write sees the old value': [write(1, 1, 4), read(0, 2, 3)],
  'a read beside a write sees the new value': [write(1, 1, 4), read(1, 2, 3)],
  'two reads beside a write see old, then new': [write(1, 1, 8), read(0, 2, 3), read(1, 4, 5)],
  'two writes at once, read in either order': [write(1, 1, 4), write(2, 2, 3), read(1, 5, 6)],
  'a write that never ended may have had effect': [write(1, 1, Infinity), read(1, 2, 3)],
  'a write that never ended may have none': [write(1, 1, Infinity), read(0, 2, 3)],
  'it may also have effect late': [write(1, 1, Infinity), read(0, 2, 3), read(1, 4, 5)],
  'a value written twice is seen after a third': [
    write(1, 1, 2),
    write(2, 3, 4),
    write(1, 5, 10),
    read(2, 6, 7),
    read(1, 8, 9),
  ],
  'a read that never ended says nothing': [read(9, 1, Infinity), read(0, 2, 3)],
};

const NOT_LINEARIZABLE: Readonly<Record<string, readonly RegisterRequest[]>> = {
  'a value nobody wrote': [read(7, 1, 2)],
  'a stale read': [write(1, 1, 2), read(0, 3, 4)],
  'a read of the future': [read(1, 1, 2), write(1, 3, 4)],
  'new, then old again': [write(1, 1, 8), read(1, 2, 3), read(0, 4, 5)],
  'a lost write': [write(1, 1, 2), write(2, 3, 4), read(1, 5, 6)],
  'two readers who see two writes in different order': [
    write(1, 1, 2),
    write(2, 3, 12),
    write(3, 4, 11),
    read(2, 5, 6),
    read(3, 7, 8),
    read(2, 9, 10),
  ],
};

test.each(Object.entries(LINEARIZABLE))('linearizable: %s', (_, requests) => {
  expect(findNonLinearizable(requests, 0)).toBeNull();
});

test.each(Object.entries(NOT_LINEARIZABLE))('not linearizable: %s', (_, requests) => {
  expect(findNonLinearizable(requests, 0)).not.toBeNull();
});

/** Every order there is, by brute force. Requests that never ended are done or left out. */
function isLinearizable(requests: readonly RegisterRequest[], value: number): boolean {
  const left = requests.filter(({ kind, ended }) => kind === 'write' || ended !== Infinity);
  if (left.every(({ ended }) => ended === Infinity)) return true;
  return left.some((first) => {
    if (left.some(({ ended }) => ended < first.begun)) return false;
    if (first.kind === 'read' && first.value !== value) return false;
    const others = left.filter((other) => other !== first);
    return isLinearizable(others, first.kind === 'write' ? first.value : value);
  });
}

function randomHistory(prng: Prng): RegisterRequest[] {
  const count = 2 + prng.nextBelow(5);
  const moments = Array.from({ length: 2 * count }, (_, at) => at);
  return Array.from({ length: count }, () => {
    const [one] = moments.splice(prng.nextBelow(moments.length), 1);
    const [other] = moments.splice(prng.nextBelow(moments.length), 1);
    const isUnfinished = prng.nextBelow(6) === 0;
    return {
      kind: prng.nextBelow(2) === 0 ? ('write' as const) : ('read' as const),
      value: prng.nextBelow(3),
      begun: Math.min(one!, other!),
      ended: isUnfinished ? Infinity : Math.max(one!, other!),
    };
  });
}

test('agrees with brute force on 5,000 small histories, about both verdicts', () => {
  const prng = createPrng(4);
  const verdicts = { yes: 0, no: 0 };
  for (let count = 0; count < 5_000; count++) {
    const history = randomHistory(prng);
    const expected = isLinearizable(history, 0);
    verdicts[expected ? 'yes' : 'no']++;
    const found = findNonLinearizable(history, 0) === null;
    expect(found, JSON.stringify(history)).toBe(expected);
  }
  expect(Math.min(verdicts.yes, verdicts.no)).toBeGreaterThan(500);
});
