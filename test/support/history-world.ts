/**
 * A world for random histories: three accounts that have everything granted and two keys each, and
 * eyes for everything that is stored of them.
 */
import { ensureAccount } from '../../src/control/access/accounts.ts';
import { takesToken } from '../../src/control/access/tokens.ts';
import { callVerb, verbFacts } from '../../src/control/call.ts';
import type { ControlContext } from '../../src/control/context.ts';
import type { KeyValueStore } from '../../src/kv/key-value-store.ts';
import { scan } from '../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../src/kv/memory-store.ts';
import { type Metadata, metadataOver, type Scope } from '../../src/meta/metadata.ts';
import type { DiskRecord, SnapshotRecord } from '../../src/record/resource.ts';
import { testControl } from './control-context.ts';

const ACCOUNTS = ['1000000000000001', '1000000000000002', '1000000000000003'] as const;
const LIST_MAX = 10_000;
const ID = /\b(?:d|s|m|i|key)-[a-z0-9]{20}\b/g;

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
    const found = new Map<string, string>();
    scan(this.store, '', (key, value) => {
      // The log of what was refused is the one thing a refusal writes.
      if (!/^(doc(-in)?\/)?audit\//.test(key)) found.set(key, Buffer.from(value).toString('hex'));
    });
    return found;
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

  close(): Promise<void> {
    return this.context.metadata.close();
  }
}

export async function openHistoryWorld(regions: readonly string[]): Promise<HistoryWorld> {
  const { context } = await testControl();
  await context.metadata.close();
  const store = openMemoryStore();
  const metadata: Metadata = metadataOver(store);
  const world = new HistoryWorld({ ...context, metadata }, store);
  for (const accountId of ACCOUNTS) {
    await ensureAccount(metadata, accountId, context.clock.now());
    for (const regionId of regions) {
      const principal = { accountId, userName: null, regionId };
      world.learn(await callVerb(world.context, principal, 'CreateKey', {}), principal);
    }
  }
  return world;
}
