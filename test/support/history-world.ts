/**
 * A world for random histories: three accounts that have everything granted, furnished in each
 * region, and eyes for everything that is stored of them.
 *
 * It is furnished once. Every history begins on a copy of what was stored then.
 */
import { createPrng } from '../../src/base/prng.ts';
import { ensureAccount } from '../../src/control/access/accounts.ts';
import { takesToken } from '../../src/control/access/tokens.ts';
import { callVerb, verbFacts } from '../../src/control/call.ts';
import type { Principal } from '../../src/control/context.ts';
import type { Verbs } from '../../src/control/verbs.ts';
import { type KeyValueStore, scan } from '../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../src/kv/memory-store.ts';
import type { Scope } from '../../src/meta/metadata.ts';
import type { DiskRecord, SnapshotRecord } from '../../src/record/resource.ts';
import { type TestControl, testControl } from './control-context.ts';
import { AUDIT } from './state-dump.ts';
import { type WatchedStore, watchStore } from './watched-store.ts';

const ACCOUNTS = ['1000000000000001', '1000000000000002', '1000000000000003'] as const;
/** Each check reads all of them. */
const AUDIT_ENTRIES_KEPT = 8;
const ID = /\b(?:d|s|m|i|key)-[a-z0-9]{20}\b/g;
const RESOURCE_KEY = /^(?:disk|snap)\/([^/]+)$/;

type Call = <V extends keyof Verbs>(
  verb: V,
  parameters: Verbs[V]['parameters'],
) => Promise<Verbs[V]['result']>;

type Resource = DiskRecord | SnapshotRecord;

/** What a world knows beside what is stored. */
interface Knowledge {
  /** Every id any call has answered with, removed ones too, and who was answered. */
  readonly ids: Map<string, Scope>;
  readonly wasEncrypted: Set<string>;
  readonly resources: Map<string, Resource>;
}

/** A furnished world at rest: histories begin on copies of it. */
export interface FurnishedWorld extends Knowledge {
  readonly metadata: readonly StoredEntry[];
  readonly vault: readonly StoredEntry[];
  readonly rootKey: Uint8Array;
  readonly held: readonly string[];
}

type StoredEntry = readonly [key: string, value: Uint8Array];

export class HistoryWorld {
  readonly accounts: readonly string[] = ACCOUNTS;
  readonly context: TestControl['context'];
  readonly ids: Map<string, Scope>;
  readonly wasEncrypted: Set<string>;
  readonly #control: TestControl;
  readonly #store: WatchedStore;
  readonly #resources: Map<string, Resource>;

  constructor(control: TestControl, store: WatchedStore, knowledge: Knowledge) {
    this.context = control.context;
    this.ids = new Map(knowledge.ids);
    this.wasEncrypted = new Set(knowledge.wasEncrypted);
    this.#resources = new Map(knowledge.resources);
    this.#control = control;
    this.#store = store;
  }

  /** What is stored and was not so at the last call: keys, but for those of the audit log. */
  takeChanges(): string[] {
    return this.#store.takeChanges().filter((key) => !AUDIT.test(key));
  }

  /** Notes the ids an answer names, and those of what came with them. */
  learn(answer: unknown, { accountId, regionId }: Scope): void {
    for (const id of JSON.stringify(answer).match(ID) ?? []) {
      if (!this.ids.has(id)) this.ids.set(id, { accountId, regionId });
    }
    for (const [id, record] of this.resources()) if (!this.ids.has(id)) this.ids.set(id, record);
    // What is shared is its recipient's, under an id of its own.
    for (const share of this.context.metadata.listDocuments('share', null, 0, 1_000).records) {
      this.ids.set(share.snapshotId, share);
    }
  }

  /** Ids of others that an answer names, and that its caller has not named. */
  foreignIds(
    answer: unknown,
    caller: Scope,
    parameters: Readonly<Record<string, unknown>>,
  ): string[] {
    const { SharedSnapshotId, ...rest } = answer as Readonly<Record<string, unknown>>;
    const named = JSON.stringify(parameters);
    return (JSON.stringify(rest).match(ID) ?? []).filter((id) => {
      const accountId = this.ids.get(id)?.accountId ?? caller.accountId;
      return accountId !== caller.accountId && !named.includes(id);
    });
  }

  /** All disks and snapshots, read again where something was written. */
  resources(): ReadonlyMap<string, Resource> {
    const { metadata } = this.context;
    for (const key of this.#store.takeTouched()) {
      const id = RESOURCE_KEY.exec(key)?.[1];
      if (id === undefined) continue;
      const record = metadata.getDisk(id) ?? metadata.getSnapshot(id);
      if (record === undefined) this.#resources.delete(id);
      else this.#resources.set(id, record);
    }
    return this.#resources;
  }

  takesToken(verb: string): boolean {
    const facts = verbFacts().find(({ name }) => name === verb);
    return facts !== undefined && takesToken(facts);
  }

  caller(principal: Principal): Call {
    return async (verb, parameters) => {
      const answer = await callVerb(this.context, principal, verb, parameters);
      this.learn(answer, principal);
      return answer;
    };
  }

  async rest(rootKey: Uint8Array): Promise<FurnishedWorld> {
    const { stores, held } = this.#control;
    return {
      ids: this.ids,
      wasEncrypted: this.wasEncrypted,
      resources: this.#resources,
      metadata: entriesOf(stores.metadata),
      vault: entriesOf(stores.vault),
      rootKey,
      held: [...held],
    };
  }

  async close(): Promise<void> {
    await this.context.metadata.close();
    await this.#control.vault.close();
  }
}

/** @param seed of every id and key there is */
export async function furnishWorld(
  regions: readonly string[],
  seed: number,
): Promise<FurnishedWorld> {
  const rootKey = new Uint8Array(32);
  createPrng(seed).fill(rootKey);
  const nothing = { ids: new Map(), wasEncrypted: new Set<string>(), resources: new Map() };
  const empty = { ...nothing, metadata: [], vault: [], rootKey, held: [] };
  const world = await openHistoryWorld(empty, seed);
  const { metadata, clock } = world.context;
  for (const accountId of ACCOUNTS) await ensureAccount(metadata, accountId, clock.now());
  for (const [index, accountId] of ACCOUNTS.entries()) {
    const other = ACCOUNTS[(index + 1) % ACCOUNTS.length] as string;
    for (const regionId of regions) {
      const call = world.caller({ accountId, userName: null, regionId });
      await furnish(call, other, index === 0, regionId !== regions[0]);
    }
  }
  const furnished = await world.rest(rootKey);
  await world.close();
  return furnished;
}

/**
 * A key, a plain and an encrypted disk, of each two snapshots, an image, an instance. The encrypted
 * one's first is shared; abroad there is a key to be deleted, and the first encrypts by default.
 */
async function furnish(
  call: Call,
  other: string,
  isFirst: boolean,
  isAbroad: boolean,
): Promise<void> {
  const { KeyMetadata } = await call('CreateKey', {});
  const encrypted = { Size: 20, Encrypted: true, KMSKeyId: KeyMetadata.KeyId };
  for (const parameters of [{ Size: 20 }, encrypted]) {
    const { DiskId } = await call('CreateDisk', parameters);
    const { SnapshotId } = await call('CreateSnapshot', { DiskId });
    await call('CreateSnapshot', { DiskId });
    const { ImageId } = await call('CreateImage', { SnapshotId });
    const instance = { ImageId, InstanceType: 'ecs.g7.large' };
    const { InstanceId } = await call('CreateInstance', instance);
    if (parameters !== encrypted) continue;
    await call('StartInstance', { InstanceId });
    await call('ShareSnapshot', { SnapshotId, AccountId: other });
  }
  if (!isAbroad) return;
  const { KeyId } = (await call('CreateKey', {})).KeyMetadata;
  await call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
  if (isFirst) await call('EnableDiskEncryptionByDefault', {});
}

/** @param seed of the ids and keys that are made from here on */
export async function openHistoryWorld(
  furnished: FurnishedWorld,
  seed: number,
): Promise<HistoryWorld> {
  const prng = createPrng(seed);
  const store = watchStore(await storeOf(furnished.metadata));
  const control = await testControl(undefined, false, {
    stores: { metadata: store, vault: await storeOf(furnished.vault) },
    rootKey: furnished.rootKey,
    fillRandom: (bytes) => prng.fill(bytes),
    held: furnished.held,
    auditEntriesMax: AUDIT_ENTRIES_KEPT,
  });
  store.takeChanges();
  return new HistoryWorld(control, store, furnished);
}

function entriesOf(store: KeyValueStore): StoredEntry[] {
  const entries: StoredEntry[] = [];
  scan(store, '', (key, value) => entries.push([key, value]));
  return entries;
}

async function storeOf(entries: readonly StoredEntry[]): Promise<KeyValueStore> {
  const store = openMemoryStore();
  await store.transact((transaction) => {
    for (const [key, value] of entries) transaction.put(key, value);
  });
  return store;
}
