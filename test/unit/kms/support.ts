/** A real vault over a memory store, with a clock the test sets. */
import { randomFillSync } from 'node:crypto';
import { allocateKey } from '../../../src/base/bytes.ts';
import type { Clock } from '../../../src/base/clock.ts';
import { openVault } from '../../../src/kms/open-vault.ts';
import { createKmsServer, type KmsServer } from '../../../src/kms/serve.ts';
import type { Vault } from '../../../src/kms/vault.ts';
import type { KeyValueStore } from '../../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';
import type {
  KmsOperation,
  KmsRequest,
  KmsRequestOf,
  KmsResults,
} from '../../../src/record/kms-message.ts';

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

interface TestVaultOptions {
  readonly store?: KeyValueStore;
  readonly clock?: Clock;
  readonly rootKeyByte?: number;
}

export function openTestVault(options: TestVaultOptions = {}): Promise<Vault> {
  return openVault({
    store: options.store ?? openMemoryStore(),
    rootKey: rootKeyOf(options.rootKeyByte ?? 7),
    clock: options.clock ?? testClock(),
    fillRandom,
  });
}

type Said<O extends KmsOperation> = Omit<KmsRequestOf<O>, 'op' | 'accountId' | 'regionId'> &
  Partial<typeof scope>;

export interface TestKms {
  readonly vault: Vault;
  readonly server: KmsServer;
  readonly clock: TestClock;
  readonly store: KeyValueStore;
  /** Makes a request in the tests' scope, or in the one it names. */
  ask<O extends KmsOperation>(op: O, said: Said<O>): Promise<KmsResults[O]>;
  /** A key of our own, enabled. */
  makeKey(): Promise<string>;
  /** The vault closed and opened again over the same store, at the same time. */
  reopen(): Promise<TestKms>;
}

/** A KMS as main sees it, over a store and a clock the test has in hand. */
export async function testKms(
  options: { store?: KeyValueStore; clock?: TestClock; throttling?: boolean } = {},
): Promise<TestKms> {
  const { store = keptStore(), clock = testClock(), throttling = false } = options;
  const vault = await openTestVault({ store, clock });
  const server = createKmsServer({ vault, throttling });
  const ask = <O extends KmsOperation>(op: O, said: Said<O>): Promise<KmsResults[O]> =>
    server.handle({ ...scope, ...said, op } as unknown as KmsRequest) as Promise<KmsResults[O]>;
  const makeKey = async (): Promise<string> => (await ask('createKey', { description: '' })).keyId;
  const reopen = async (): Promise<TestKms> => {
    await vault.close();
    return testKms({ store, clock, throttling });
  };
  return { vault, server, clock, store, ask, makeKey, reopen };
}

/** The code a request is refused with, or 'done'. */
export async function refusal(request: Promise<unknown>): Promise<string> {
  return request.then(
    () => 'done',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}

/** The data key a shard would be given, as hex, or the code it is refused with. */
export function unwrap({ server }: TestKms, wrappedKey: Uint8Array, of = context): string {
  const reply = server.unwrap({ id: 1, wrappedKey, context: of });
  return 'key' in reply ? Buffer.from(reply.key).toString('hex') : reply.error.code;
}

/** Where records of a key lie in its store. */
export function placesOf({ store }: TestKms, keyId: string): string[] {
  const places = store.range({ prefix: '', limit: 1_000 }).map(({ key }) => key);
  return places.filter((place) => place.includes(keyId));
}
