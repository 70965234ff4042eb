/**
 * A control context with the real KMS and the real metadata, in memory and in one thread; shards
 * that only write down what they are told, and refuse when a test wants them to.
 */
import { randomBytes, randomFillSync } from 'node:crypto';
import { allocateKey } from '../../src/base/bytes.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { PlaneError } from '../../src/base/errors.ts';
import { ensureAccount } from '../../src/control/access/accounts.ts';
import { TokensInUse } from '../../src/control/access/tokens.ts';
import type { ControlContext, KmsCalls } from '../../src/control/context.ts';
import { quotasOf } from '../../src/control/quotas.ts';
import { ResourceLocks } from '../../src/control/resource-locks.ts';
import { UnnamedTrees } from '../../src/control/unnamed-trees.ts';
import { openVault } from '../../src/kms/open-vault.ts';
import { createKmsServer } from '../../src/kms/serve.ts';
import type { Vault } from '../../src/kms/vault.ts';
import type { KeyValueStore } from '../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../src/kv/memory-store.ts';
import { AUDIT_ENTRIES_MAX } from '../../src/limits.ts';
import { metadataOver } from '../../src/meta/metadata.ts';
import type { PerformanceProfile } from '../../src/performance/profile.ts';
import type { ShardRequest } from '../../src/record/shard-message.ts';

/** What metadata and master keys are kept in. */
export interface ControlStores {
  readonly metadata: KeyValueStore;
  readonly vault: KeyValueStore;
}

/** What a control context is made over, where a test does not leave it to chance. */
export interface ControlGround {
  /** Used where they are, and written to. */
  readonly stores: ControlStores;
  /** Of the vault's store; copied. */
  readonly rootKey: Uint8Array;
  /** Ids and keys are drawn with it. */
  readonly fillRandom: (bytes: Uint8Array) => void;
  /** Disks whose volume is open. */
  readonly held: Iterable<string>;
  readonly auditEntriesMax: number;
}

export interface TestControl {
  readonly context: ControlContext;
  readonly stores: ControlStores;
  readonly vault: Vault;
  /** Every request a shard was sent, with the shard's index. */
  readonly told: { shardIndex: number; request: ShardRequest }[];
  readonly drained: string[];
  /** Resources whose re-encryption was begun. */
  readonly reencrypted: string[];
  readonly resized: [string, number][];
  readonly profiles: [string, PerformanceProfile][];
  /** Disks whose volume an instance keeps open. */
  readonly held: Set<string>;
  /** How many times snapshots are open for reading. */
  readonly readers: Map<string, number>;
  /** The next request of this kind fails. */
  failNext(op: ShardRequest['op']): void;
}

/** Accounts there are beside the caller's. */
const OTHER_ACCOUNTS = [
  '1000000000000002',
  '2000000000000002',
  '3000000000000003',
  '4000000000000004',
];

/** Tasks that are begun and do nothing. */
function idleTasks(reencrypted: string[]): ControlContext['tasks'] {
  return {
    reencrypt: async (resourceId) => {
      reencrypted.push(resourceId);
      return null;
    },
    canExport: false,
    exportImage: async () => '',
    liveTaskIdOf: () => null,
    pause: async () => {},
    resume: async () => {},
    cancel: async () => {},
  };
}

function newGround(): ControlGround {
  return {
    stores: { metadata: openMemoryStore(), vault: openMemoryStore() },
    rootKey: randomBytes(32),
    fillRandom: (bytes) => void randomFillSync(bytes),
    held: [],
    auditEntriesMax: AUDIT_ENTRIES_MAX,
  };
}

/** @param throttling whether KMS requests above the cloud's rates are refused */
export async function testControl(
  clock?: Clock,
  throttling = false,
  ground: ControlGround = newGround(),
): Promise<TestControl> {
  const told: TestControl['told'] = [];
  const drained: string[] = [];
  const reencrypted: string[] = [];
  const resized: [string, number][] = [];
  const profiles: [string, PerformanceProfile][] = [];
  const held = new Set(ground.held);
  const readers = new Map<string, number>();
  const failing = new Set<string>();
  const { stores, fillRandom } = ground;
  const vault = await openTestVault(ground, clock);
  const server = createKmsServer({ vault, throttling });
  const kms: KmsCalls = { call: (request) => server.handle(request) as Promise<never> };
  const principal = { accountId: '1000000000000001', userName: null, regionId: 'cn-hangzhou' };
  const now = clock ?? { now: () => Date.UTC(2026, 0, 31, 12), monotonic: () => 0 };
  const context: ControlContext = {
    ...principal,
    principal,
    passValidation: () => {},
    clock: now,
    randomBytes: (byteCount) => {
      const bytes = new Uint8Array(byteCount);
      fillRandom(bytes);
      return bytes;
    },
    metadata: metadataOver(stores.metadata, { auditEntriesMax: ground.auditEntriesMax }),
    kms,
    shards: {
      count: 2,
      call: async (shardIndex, request) => {
        // A turn of the event loop, as a thread would take.
        await new Promise(setImmediate);
        if (failing.delete(request.op)) throw new PlaneError('ShardLost', 'the test says so');
        told.push({ shardIndex, request });
        return null;
      },
    },
    volumes: testVolumes(server, { drained, resized, profiles, held, readers, failing }),
    locks: new ResourceLocks(),
    unnamedTrees: new UnnamedTrees(),
    tokens: new TokensInUse(now.now()),
    ruleSet: '2025',
    quotas: quotasOf({}),
    tasks: idleTasks(reencrypted),
  };
  for (const accountId of [principal.accountId, ...OTHER_ACCOUNTS]) {
    await ensureAccount(context.metadata, accountId, context.clock.now());
  }
  const seen = { told, drained, reencrypted, resized, profiles, held, readers };
  return { context, stores, vault, ...seen, failNext: (op) => failing.add(op) };
}

function openTestVault(ground: ControlGround, clock: Clock = systemClock): Promise<Vault> {
  const rootKey = allocateKey(32);
  rootKey.set(ground.rootKey);
  return openVault({ store: ground.stores.vault, rootKey, clock, fillRandom: ground.fillRandom });
}

/** Volumes that are only written down; one that is held has its data keys unwrapped, by the KMS. */
function testVolumes(
  server: ReturnType<typeof createKmsServer>,
  seen: Pick<TestControl, 'drained' | 'resized' | 'profiles' | 'held' | 'readers'> & {
    readonly failing: Set<string>;
  },
): ControlContext['volumes'] {
  return {
    drain: async (diskId) => {
      seen.drained.push(diskId);
    },
    resize: async (diskId, sizeBytes) => {
      seen.resized.push([diskId, sizeBytes]);
    },
    changeProfile: (diskId, profile) => {
      seen.profiles.push([diskId, profile]);
    },
    hold: async ({ diskId, layers }) => {
      await new Promise(setImmediate);
      if (seen.failing.delete('openVolume')) throw new PlaneError('ShardLost', 'the test says so');
      if (seen.held.has(diskId)) throw new Error(`${diskId} is held twice`);
      for (const { encryption } of layers) {
        if (encryption === null) continue;
        const { wrappedKey, accountId, regionId, lineageId } = encryption;
        const wrapContext = { accountId, regionId, lineageId };
        const answer = server.unwrap({ id: 1, wrappedKey, context: wrapContext });
        if ('error' in answer) throw PlaneError.fromRecord(answer.error);
      }
      seen.held.add(diskId);
    },
    release: async (diskId) => {
      await new Promise(setImmediate);
      seen.held.delete(diskId);
    },
    pushLayer: async () => {},
    readerCount: (snapshotId) => seen.readers.get(snapshotId) ?? 0,
  };
}
