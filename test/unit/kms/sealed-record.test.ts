import { describe, expect, test } from 'vitest';
import { openRecord, sealRecord } from '../../../src/kms/sealed-record.ts';
import type { KeyVersionRecord } from '../../../src/record/vault-record.ts';
import { fillRandom, rootKeyOf, scope } from './support.ts';

const rootKey = rootKeyOf(7);
const secret = rootKeyOf(42);
const body: KeyVersionRecord = {
  ...scope,
  keyId: 'key-abcdefghijklmnopqrst',
  version: 1,
  createdAt: 1,
  wrapsReserved: 0,
};
const sealed = sealRecord(rootKey, 'keyVersion', body, secret, fillRandom);

describe('a sealed record', () => {
  test('opens to its body and its secret', () => {
    expect(openRecord(rootKey, 'keyVersion', sealed)).toEqual({ body, secret });
  });

  test('shows its body to anyone and its secret to nobody', () => {
    const text = Buffer.from(sealed).toString('latin1');
    expect(text).toContain(body.keyId);
    for (let at = 0; at < 32; at += 8) {
      const quarter = Buffer.from(secret.subarray(at, at + 8)).toString('latin1');
      expect(text).not.toContain(quarter);
    }
  });

  test('does not open after a change of any single bit', () => {
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = sealed.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(openRecord(rootKey, 'keyVersion', changed)).toBeNull();
    }
  });

  test('does not open cut short or with bytes behind it', () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(openRecord(rootKey, 'keyVersion', sealed.subarray(0, length))).toBeNull();
    }
    expect(openRecord(rootKey, 'keyVersion', Buffer.concat([sealed, Buffer.from([0])]))).toBeNull();
  });

  test('does not open under another root key, nor as another kind', () => {
    expect(openRecord(rootKeyOf(8), 'keyVersion', sealed)).toBeNull();
    expect(openRecord(rootKey, 'masterKey', sealed)).toBeNull();
    expect(openRecord(rootKey, 'vaultCheck', sealed)).toBeNull();
  });

  test('is different bytes every time it is sealed', () => {
    expect(sealRecord(rootKey, 'keyVersion', body, secret, fillRandom)).not.toEqual(sealed);
  });
});
