import { expect, test } from 'vitest';
import { didYouMean, nearestWord } from '../../../src/load/nearest.ts';

const WORDS = ['iodepth', 'runtime', 'randwrite', 'bs', 'rw'];

test('one letter wrong, missing, added or swapped finds the word', () => {
  expect(nearestWord('iodepht', WORDS)).toBe('iodepth');
  expect(nearestWord('runtme', WORDS)).toBe('runtime');
  expect(nearestWord('runtimes', WORDS)).toBe('runtime');
  expect(nearestWord('rundwrite', WORDS)).toBe('randwrite');
  expect(nearestWord('BSS', WORDS)).toBe('bs');
});

test('a word unlike any other finds none', () => {
  expect(nearestWord('flux-capacitor', WORDS)).toBeNull();
  expect(didYouMean('flux-capacitor', WORDS)).toBe('');
});

test('the nearest of several wins', () => {
  expect(nearestWord('rb', ['rub', 'rw', 'rb1'])).toBe('rub');
  expect(didYouMean('iodept', WORDS)).toBe(' (did you mean iodepth?)');
});
