import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import type { KeyValueStore } from '../../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';
import { openMetadata } from '../../../src/meta/metadata.ts';
import { putIdentity } from '../../../src/meta/tables.ts';
import {
  encryptionOf,
  keyId,
  newDisk,
  newSnapshot,
  openTestMetadata,
  scope,
  testClock,
} from './support.ts';

const all = { skip: 0, limit: 100 };
const code = (expected: string) => expect.objectContaining({ code: expected });
const keysOf = (store: KeyValueStore): string[] =>
  store.range({ prefix: '', limit: 1_000 }).map(({ key }) => key);
/** A store that outlives the metadata over it. */
const keptStore = (): KeyValueStore => ({ ...openMemoryStore(), close: async () => undefined });

describe('the metadata of a plane', () => {
  test('is made in an empty store with the shards asked for, and has them for good', async () => {
    const store = keptStore();
    const made = await openTestMetadata(store, 5);
    expect(made.identity).toEqual({
      formatVersion: 1,
      planeId: expect.stringMatching(/^[a-z0-9]{20}$/),
      shardCount: 5,
      createdAt: testClock().now(),
    });
    expect((await openTestMetadata(store, null)).identity).toEqual(made.identity);
    expect((await openTestMetadata(store, 5)).identity).toEqual(made.identity);
    await expect(openTestMetadata(store, 4)).rejects.toThrow(/InvalidArgument.*with 5 shards/);
    expect((await openTestMetadata(openMemoryStore(), null)).identity.shardCount).toBe(2);
  });

  test('is not made over something else, nor opened in another format', async () => {
    const foreign = openMemoryStore();
    await foreign.transact((transaction) => transaction.put('other', Uint8Array.of(1)));
    await expect(openTestMetadata(foreign)).rejects.toThrow(code('DataDirectoryForeign'));

    const later = keptStore();
    const { identity } = await openTestMetadata(later);
    await later.transact((transaction) =>
      putIdentity(transaction, { ...identity, formatVersion: 2 }),
    );
    await expect(openTestMetadata(later)).rejects.toThrow(code('DataDirectoryVersion'));

    const damaged = openMemoryStore();
    await damaged.transact((transaction) => transaction.put('identity', Uint8Array.of(1)));
    const options = { store: damaged, shardCount: 2, clock: testClock(), randomBytes };
    await expect(openMetadata(options)).rejects.toThrow(code('DataDirectoryCorrupt'));
  });
});

describe('disks', () => {
  test('are found by id; what is not an id is not found', async () => {
    const metadata = await openTestMetadata();
    const disk = await metadata.insertDisk(newDisk({ name: 'one' }), null);
    expect(metadata.disk(disk.diskId)).toEqual(disk);
    for (const id of ['', 'd-', '../identity', 'd-zzzzzzzzzzzzzzzzzzzz', 'x'.repeat(9_999), '\0']) {
      expect([metadata.disk(id), metadata.snapshot(id), metadata.lineage(id)]).toEqual([
        null,
        null,
        null,
      ]);
    }
  });

  test('go to the shards in turn; what is made from another stays with it', async () => {
    const metadata = await openTestMetadata(openMemoryStore(), 3);
    const shards: number[] = [];
    for (let i = 0; i < 7; i++) {
      const disk = await metadata.insertDisk(newDisk(), null);
      shards.push(disk.shardIndex);
      // Snapshots and clones in between do not disturb the turn.
      await metadata.insertSnapshot(newSnapshot(disk));
      const { shardIndex } = disk;
      expect((await metadata.insertDisk(newDisk({ shardIndex }), disk.diskId)).shardIndex).toBe(
        shardIndex,
      );
    }
    expect(shards).toEqual([0, 1, 2, 0, 1, 2, 0]);
  });

  test('are listed in order of creation, by page, with the total', async () => {
    const metadata = await openTestMetadata();
    const ids: string[] = [];
    for (let i = 0; i < 25; i++) ids.push((await metadata.insertDisk(newDisk(), null)).diskId);
    const page = (skip: number, limit: number) => {
      const { total, records } = metadata.disks(scope, { skip, limit });
      return { total, ids: records.map(({ diskId }) => diskId) };
    };
    expect(page(0, 10)).toEqual({ total: 25, ids: ids.slice(0, 10) });
    expect(page(20, 10)).toEqual({ total: 25, ids: ids.slice(20) });
    expect(page(30, 10)).toEqual({ total: 25, ids: [] });
    await metadata.removeDisk(ids[3]!, 9);
    expect(page(0, 4)).toEqual({ total: 24, ids: [...ids.slice(0, 3), ids[4]] });
  });

  test('are listed in their account and region only, and by key', async () => {
    const metadata = await openTestMetadata();
    const other = { ...scope, regionId: 'cn-beijing' };
    const plain = await metadata.insertDisk(newDisk(), null);
    const draft = newDisk();
    const encrypted = await metadata.insertDisk(
      { ...draft, encryption: encryptionOf(draft.diskId) },
      null,
    );
    const elsewhere = await metadata.insertDisk(newDisk(other), null);
    expect(metadata.disks(scope, all)).toEqual({ total: 2, records: [plain, encrypted] });
    expect(metadata.disks(other, all)).toEqual({ total: 1, records: [elsewhere] });
    expect(metadata.disks({ ...scope, keyId }, all)).toEqual({ total: 1, records: [encrypted] });
    expect(metadata.disks({ ...scope, keyId: 'key-zzzzzzzzzzzzzzzzzzzz' }, all).total).toBe(0);
  });

  test('change status and size and nothing else', async () => {
    const metadata = await openTestMetadata();
    const disk = await metadata.insertDisk(newDisk(), null);
    const changed = await metadata.updateDisk(disk.diskId, { status: 'In_use' });
    expect(changed).toEqual({ ...disk, status: 'In_use' });
    expect(metadata.disk(disk.diskId)).toEqual(changed);
  });

  test('that do not exist cannot be changed, removed or made twice: a bug, not an answer', async () => {
    const metadata = await openTestMetadata();
    const disk = await metadata.insertDisk(newDisk(), null);
    const absent = 'd-zzzzzzzzzzzzzzzzzzzz';
    const attempts = [
      metadata.insertDisk(disk, null),
      metadata.insertDisk(newDisk(), absent),
      metadata.updateDisk(absent, { status: 'In_use' }),
      metadata.removeDisk(absent, 1),
      metadata.removeSnapshot('s-zzzzzzzzzzzzzzzzzzzz', 1),
    ];
    for (const result of await Promise.allSettled(attempts)) {
      expect(result).toMatchObject({ reason: expect.any(InvariantError) });
    }
    expect(metadata.check()).toEqual([]);
    expect(metadata.disks(scope, all).total).toBe(1);
  });
});

describe('snapshots', () => {
  test('are listed in their region, and by disk even when the disk is gone', async () => {
    const metadata = await openTestMetadata();
    const disk = await metadata.insertDisk(newDisk(), null);
    const [a, b] = [newSnapshot(disk), newSnapshot(disk)];
    await metadata.insertSnapshot(a);
    await metadata.insertSnapshot(b);
    const other = await metadata.insertDisk(newDisk(), null);
    await metadata.insertSnapshot(newSnapshot(other));
    expect(metadata.snapshots(scope, all).total).toBe(3);
    const ofDisk = { ...scope, sourceDiskId: disk.diskId };
    expect(metadata.snapshots(ofDisk, all)).toEqual({ total: 2, records: [a, b] });
    await metadata.removeDisk(disk.diskId, 5);
    expect(metadata.snapshots(ofDisk, all)).toEqual({ total: 2, records: [a, b] });
    await metadata.removeSnapshot(a.snapshotId, 6);
    expect(metadata.snapshots(ofDisk, { skip: 0, limit: 1 })).toEqual({ total: 1, records: [b] });
    expect(metadata.snapshot(a.snapshotId)).toBeNull();
    expect(metadata.check()).toEqual([]);
  });
});

describe('lineage', () => {
  /** disk 1 -> snapshot 1 -> disk 2 -> disk 3 (a clone), and snapshot 2 of disk 1. */
  const family = async () => {
    const store = keptStore();
    const metadata = await openTestMetadata(store);
    const draft = newDisk();
    const encryption = encryptionOf(draft.diskId);
    const disk1 = await metadata.insertDisk({ ...draft, encryption }, null);
    const snapshot1 = newSnapshot(disk1);
    await metadata.insertSnapshot(snapshot1);
    const shared = { shardIndex: disk1.shardIndex, encryption };
    const disk2 = await metadata.insertDisk(
      newDisk({ ...shared, sourceSnapshotId: snapshot1.snapshotId }),
      snapshot1.snapshotId,
    );
    const disk3 = await metadata.insertDisk(newDisk(shared), disk2.diskId);
    const snapshot2 = newSnapshot(disk1);
    await metadata.insertSnapshot(snapshot2);
    const ids = [disk1.diskId, snapshot1.snapshotId, disk2.diskId, disk3.diskId] as const;
    return { store, metadata, ids, snapshot2: snapshot2.snapshotId };
  };

  test('leads from anything to all it was made from and all made from it', async () => {
    const { metadata, ids, snapshot2 } = await family();
    const idsOf = (records: readonly { id: string }[]) => records.map(({ id }) => id);
    const [disk1, snapshot1, disk2, disk3] = ids;
    const middle = metadata.lineage(disk2)!;
    expect(idsOf(metadata.ancestors(middle))).toEqual([snapshot1, disk1]);
    expect(idsOf(metadata.descendants(middle))).toEqual([disk3]);
    const root = metadata.lineage(disk1)!;
    expect(metadata.ancestors(root)).toEqual([]);
    expect(idsOf(metadata.descendants(root))).toEqual([snapshot1, disk2, disk3, snapshot2]);
    expect(idsOf(metadata.resourcesUnder(keyId))).toEqual([...ids, snapshot2]);
    expect(metadata.countMadeFrom(disk1)).toBe(2);
  });

  test('of what is deleted stays while something made from it is left, and goes with the last', async () => {
    const { metadata, ids, snapshot2, store } = await family();
    const [disk1, snapshot1, disk2, disk3] = ids;
    await metadata.removeDisk(disk1, 100);
    await metadata.removeSnapshot(snapshot1, 101);
    await metadata.removeDisk(disk2, 102);
    const ancestors = metadata.ancestors(metadata.lineage(disk3)!);
    expect(ancestors.map(({ id, deletedAt }) => [id, deletedAt])).toEqual([
      [disk2, 102],
      [snapshot1, 101],
      [disk1, 100],
    ]);
    expect(metadata.resourcesUnder(keyId).map(({ id }) => id)).toEqual([disk3, snapshot2]);
    expect(metadata.check()).toEqual([]);
    await metadata.removeDisk(disk3, 103);
    expect([disk2, snapshot1].map((id) => metadata.lineage(id))).toEqual([null, null]);
    expect(metadata.lineage(disk1)).not.toBeNull();
    expect(metadata.check()).toEqual([]);
    await metadata.removeSnapshot(snapshot2, 104);
    expect(metadata.check()).toEqual([]);
    expect(keysOf(store)).toEqual(['identity', 'next/placement', 'next/sequence']);
  });

  test('of a chain a thousand long is walked and forgotten without recursion', async () => {
    const metadata = await openTestMetadata();
    const length = 1_000;
    let sourceId: string | null = null;
    const ids: string[] = [];
    for (let i = 0; i < length; i++) {
      sourceId = (await metadata.insertDisk(newDisk({ shardIndex: 0 }), sourceId)).diskId;
      ids.push(sourceId);
    }
    expect(metadata.ancestors(metadata.lineage(ids.at(-1)!)!)).toHaveLength(length - 1);
    expect(metadata.descendants(metadata.lineage(ids[0]!)!)).toHaveLength(length - 1);
    for (const id of ids) await metadata.removeDisk(id, 7);
    expect(metadata.lineage(ids[0]!)).toBeNull();
    expect(metadata.check()).toEqual([]);
  });
});

describe('what stands for every tree', () => {
  test('each disk and each snapshot is visited once', async () => {
    const metadata = await openTestMetadata();
    const seen: string[] = [];
    const disk = await metadata.insertDisk(newDisk(), null);
    const snapshot = newSnapshot(disk);
    await metadata.insertSnapshot(snapshot);
    metadata.eachDisk(({ diskId }) => seen.push(diskId));
    metadata.eachSnapshot(({ snapshotId }) => seen.push(snapshotId));
    expect(seen).toEqual([disk.diskId, snapshot.snapshotId]);
  });
});
