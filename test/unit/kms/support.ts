/** A real vault over a memory store, with a clock the test sets. */
import { randomFillSync } from 'node:crypto';
import { allocateKey } from '../../../src/base/bytes.ts';
import type { Clock } from '../../../src/base/clock.ts';
import { openVault, type Vault } from '../../../src/kms/vault.ts';
import type { KeyValueStore } from '../../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';

export const scope = { accountId: '1234567890123456', regionId: 'cn-hangzhou' };
export const context = { ...scope, lineageId: 'd-abcdefghijklmnopqrst' };
export const DAY_MS = 86_400_000;

export interface TestClock extends Clock {
  advance(ms: number): void;
}

export function testClock(start = 1_750_000_000_000): TestClock {
  let now = start;
  return {
    now: () => now,
    monotonic: () => now,
    advance: (ms) => {
      now += ms;
    },
  };
}

export const fillRandom = (bytes: Uint8Array): void => {
  randomFillSync(bytes);
};

/** 32 bytes that are the same for the same number. */
export function rootKeyOf(byte: number): Uint8Array {
  const rootKey = allocateKey(32);
  rootKey.fill(byte);
  return rootKey;
}

/** A store that outlives the vault over it: close() leaves it open. */
export function keptStore(): KeyValueStore {
  const store = openMemoryStore();
  return { ...store, close: async () => undefined };
}

export function openTestVault(
  options: { store?: KeyValueStore; clock?: Clock; rootKeyByte?: number } = {},
): Promise<Vault> {
  return openVault({
    store: options.store ?? openMemoryStore(),
    rootKey: rootKeyOf(options.rootKeyByte ?? 7),
    clock: options.clock ?? testClock(),
    fillRandom,
  });
}
