/**
 * A world for random histories: three accounts that have everything granted, furnished in each
 * region, and eyes for everything that is stored of them.
 */
import { ensureAccount } from '../../src/control/access/accounts.ts';
import { takesToken } from '../../src/control/access/tokens.ts';
import { callVerb, verbFacts } from '../../src/control/call.ts';
import type { ControlContext, Principal } from '../../src/control/context.ts';
import type { Verbs } from '../../src/control/verbs.ts';
import type { KeyValueStore } from '../../src/kv/key-value-store.ts';
import type { Scope } from '../../src/meta/metadata.ts';
import type { DiskRecord, SnapshotRecord } from '../../src/record/resource.ts';
import { testControl } from './control-context.ts';
import { dumpMetadata } from './state-dump.ts';

const ACCOUNTS = ['1000000000000001', '1000000000000002', '1000000000000003'] as const;
const LIST_MAX = 10_000;
const ID = /\b(?:d|s|m|i|key)-[a-z0-9]{20}\b/g;

type Call = <V extends keyof Verbs>(
  verb: V,
  parameters: Verbs[V]['parameters'],
) => Promise<Verbs[V]['result']>;

export class HistoryWorld {
  readonly context: ControlContext;
  readonly accounts: readonly string[] = ACCOUNTS;
  /** Every id any call has answered with, removed ones too, and who was answered. */
  readonly ids = new Map<string, Scope>();
  readonly wasEncrypted = new Set<string>();
  private readonly store: KeyValueStore;

  constructor(context: ControlContext, store: KeyValueStore) {
    this.context = context;
    this.store = store;
  }

  /** Everything stored that a refused call must leave as it is, by key. */
  dump(): Map<string, string> {
    return dumpMetadata(this.store);
  }

  /** Notes the ids an answer names, and those of what came with them. */
  learn(answer: unknown, { accountId, regionId }: Scope): void {
    for (const id of JSON.stringify(answer).match(ID) ?? []) {
      if (!this.ids.has(id)) this.ids.set(id, { accountId, regionId });
    }
    for (const record of this.resources()) {
      const id = 'diskId' in record ? record.diskId : record.snapshotId;
      if (!this.ids.has(id)) this.ids.set(id, record);
    }
  }

  resources(): (DiskRecord | SnapshotRecord)[] {
    const { metadata } = this.context;
    return [
      ...metadata.listDisks({}, 0, LIST_MAX).records,
      ...metadata.listSnapshots({}, 0, LIST_MAX).records,
    ];
  }

  takesToken(verb: string): boolean {
    const facts = verbFacts().find(({ name }) => name === verb);
    return facts !== undefined && takesToken(facts);
  }

  /** A key, a plain and an encrypted disk, and of each a snapshot, an image and an instance. */
  async furnish(principal: Principal): Promise<void> {
    const call: Call = async (verb, parameters) => {
      const answer = await callVerb(this.context, principal, verb, parameters);
      this.learn(answer, principal);
      return answer;
    };
    const { KeyMetadata } = await call('CreateKey', {});
    const encrypted = { Size: 20, Encrypted: true, KMSKeyId: KeyMetadata.KeyId };
    for (const parameters of [{ Size: 20 }, encrypted]) {
      const { DiskId } = await call('CreateDisk', parameters);
      const { SnapshotId } = await call('CreateSnapshot', { DiskId });
      const { ImageId } = await call('CreateImage', { SnapshotId });
      const instance = { ImageId, InstanceType: 'ecs.g7.large' };
      const { InstanceId } = await call('CreateInstance', instance);
      if (parameters === encrypted) await call('StartInstance', { InstanceId });
    }
  }

  close(): Promise<void> {
    return this.context.metadata.close();
  }
}

export async function openHistoryWorld(regions: readonly string[]): Promise<HistoryWorld> {
  const { context, stores } = await testControl();
  const world = new HistoryWorld(context, stores.metadata);
  for (const accountId of ACCOUNTS) {
    await ensureAccount(context.metadata, accountId, context.clock.now());
    for (const regionId of regions) {
      const principal = { accountId, userName: null, regionId };
      await world.furnish(principal);
    }
  }
  return world;
}
