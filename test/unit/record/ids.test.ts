import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import {
  isDiskId,
  isKeyId,
  isScopeId,
  isSnapshotId,
  KEY_ID_CHARS,
  makeDiskId,
  makeKeyId,
  makeSnapshotId,
} from '../../../src/record/ids.ts';

const kinds = [
  { make: makeDiskId, is: isDiskId, prefix: 'd-' },
  { make: makeSnapshotId, is: isSnapshotId, prefix: 's-' },
  { make: makeKeyId, is: isKeyId, prefix: 'key-' },
];

describe('ids', () => {
  test('an id is recognised by its own kind and by no other', () => {
    for (const { make, is, prefix } of kinds) {
      const id = make(randomBytes);
      expect(id).toMatch(new RegExp(`^${prefix}[a-z0-9]{20}$`));
      expect(kinds.filter((other) => other.is(id)).map((other) => other.is)).toEqual([is]);
    }
    expect(makeKeyId(randomBytes)).toHaveLength(KEY_ID_CHARS);
  });

  test('the same random bytes make the same id', () => {
    const counting = (byteCount: number) => Uint8Array.from({ length: byteCount }, (_, i) => i);
    expect(makeDiskId(counting)).toBe('d-abcdefghijklmnopqrst');
  });

  test('bytes that would favour some letters are drawn again', () => {
    const draws = [
      Uint8Array.from({ length: 20 }, (_, i) => (i < 10 ? 255 : 252)),
      Uint8Array.from({ length: 20 }, () => 251),
    ];
    expect(makeDiskId(() => draws.shift()!)).toBe(`d-${'9'.repeat(20)}`);
  });

  test('a source that only gives unusable bytes is a broken invariant, not an endless loop', () => {
    expect(() => makeDiskId((byteCount) => new Uint8Array(byteCount).fill(255))).toThrow(
      InvariantError,
    );
  });

  test('every letter is as likely as any other', () => {
    const seen = new Map<string, number>();
    for (let i = 0; i < 2_000; i++) {
      for (const letter of makeDiskId(randomBytes).slice(2)) {
        seen.set(letter, (seen.get(letter) ?? 0) + 1);
      }
    }
    expect(seen.size).toBe(36);
    // 40,000 letters, 1,111 of each expected: six standard deviations are 200.
    for (const count of seen.values()) expect(Math.abs(count - 1_111)).toBeLessThan(200);
  });

  test('what only looks like an id is not one', () => {
    const id = 'abcdefghijklmnopqrst';
    const crafted = [
      '',
      `d-${id}\n`,
      ` d-${id}`,
      `d-${id}u`,
      `d-${id.slice(1)}`,
      `D-${id}`,
      `d-${id.toUpperCase()}`,
      `d-../../../../etc/passwd`,
      `d-${id.slice(2)}%2`,
      `d-${id.slice(1)}\0`,
      `d_${id}`,
      'd-абвгдежзийклмнопрсту',
    ];
    for (const text of crafted) {
      expect([isDiskId(text), isSnapshotId(text), isKeyId(text)]).toEqual([false, false, false]);
    }
  });

  test('account and region ids hold no separator and no path', () => {
    expect(isScopeId('1234567890123456')).toBe(true);
    expect(isScopeId('cn-hangzhou')).toBe(true);
    for (const text of ['', 'a/b', 'a b', '..', 'CN', 'x'.repeat(33)]) {
      expect(isScopeId(text)).toBe(false);
    }
  });
});
