/** Opening an envelope where native code is not to be had, or is not right: node:crypto does it. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { NativeLibrary } from '../../../src/base/native.ts';
import { rootKeyOf } from './support.ts';

const library = vi.hoisted(() => ({ now: null as unknown }));
vi.mock(import('../../../src/base/native.ts'), async (original) => ({
  ...(await original()),
  nativeLibrary: () => library.now as NativeLibrary | null,
}));

afterEach(() => {
  vi.resetModules();
});

/** A binary whose functions all answer with this. */
const answering = (answer: number): Pick<NativeLibrary, 'find' | 'addressOf'> => ({
  find: () => () => answer,
  addressOf: () => 4096,
});

describe.each([
  ['there is no native code', null],
  ['the binary exports none of it', { find: () => null }],
  ['the binary opens something else', answering(1)],
  ['the binary opens nothing', { ...answering(1), find: onlyFinalFails }],
])('where %s', (_, found) => {
  test('an envelope is opened, and known to leave copies', async () => {
    library.now = found;
    const { open, openLeavesCopies, seal } = await import('../../../src/kms/envelope.ts');
    const key = rootKeyOf(3);
    const iv = new Uint8Array(12).fill(1);
    const additional = Uint8Array.of(1, 2);
    const sealed = seal(key, iv, additional, Uint8Array.of(7, 8, 9));
    expect(open(key, iv, additional, sealed)).toEqual(Uint8Array.of(7, 8, 9));
    expect(open(key, iv, Uint8Array.of(1, 3), sealed)).toBeNull();
    expect(openLeavesCopies()).toBe(true);
  });
});

function onlyFinalFails(prototype: string): () => number {
  return () => (prototype.includes('Final') ? 0 : 1);
}
