import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import type { KeyValueStore, KeyValueTransaction } from '../../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';
import { metadataProblems } from '../../../src/meta/checker.ts';
import type { Metadata } from '../../../src/meta/metadata.ts';
import {
  addMember,
  groups,
  putDisk,
  putLineage,
  readDisk,
  readLineage,
  removeMember,
} from '../../../src/meta/tables.ts';
import type { LineageRecord } from '../../../src/record/lineage.ts';
import type { DiskRecord } from '../../../src/record/resource.ts';
import { encryptionOf, keyId, newDisk, newSnapshot, openTestMetadata, scope } from './support.ts';

interface Family {
  store: KeyValueStore;
  metadata: Metadata;
  disk: string;
  snapshot: string;
  clone: string;
}

/** An encrypted disk, its snapshot, a disk from that. */
async function family(): Promise<Family> {
  const store = openMemoryStore();
  const metadata = await openTestMetadata(store);
  const draft = newDisk();
  const encryption = encryptionOf(draft.diskId);
  const disk = await metadata.insertDisk({ ...draft, encryption }, null);
  const snapshot = newSnapshot(disk);
  await metadata.insertSnapshot(snapshot);
  const { shardIndex } = disk;
  const made = newDisk({ encryption, shardIndex, sourceSnapshotId: snapshot.snapshotId });
  const clone = await metadata.insertDisk(made, snapshot.snapshotId);
  return {
    store,
    metadata,
    disk: disk.diskId,
    snapshot: snapshot.snapshotId,
    clone: clone.diskId,
  };
}

const changeDisk = (t: KeyValueTransaction, id: string, change: Partial<DiskRecord>): void =>
  putDisk(t, { ...readDisk(t, id)!, ...change });
const changeLineage = (t: KeyValueTransaction, id: string, change: Partial<LineageRecord>): void =>
  putLineage(t, { ...readLineage(t, id)!, ...change });
const otherKey = 'key-zzzzzzzzzzzzzzzzzzzz';

/** One way to break each rule, and the sentence that must come of it. */
const damages: [string, (t: KeyValueTransaction, found: Family) => void, RegExp][] = [
  ['the identity is gone', (t) => t.remove('identity'), /identity record is missing/],
  ['a disk has no lineage', (t, { disk }) => t.remove(`lineage/${disk}`), /no lineage record/],
  [
    'a disk exists and its lineage says deleted',
    (t, { clone }) => changeLineage(t, clone, { deletedAt: 1 }),
    /exists and its lineage says it is deleted/,
  ],
  [
    'a disk is called a snapshot',
    (t, { disk }) => changeLineage(t, disk, { kind: 'snapshot' }),
    /is a disk and its lineage says snapshot/,
  ],
  [
    'lineage names another key',
    (t, { clone }) => changeLineage(t, clone, { keyId: otherKey }),
    /is under key-abcdefghijklmnopqrst, its lineage key-zzzz/,
  ],
  [
    'a wrapped key is empty',
    (t, { disk }) =>
      changeDisk(t, disk, {
        encryption: { keyId, lineageId: disk, wrappedKey: new Uint8Array(0) },
      }),
    /is encrypted and has no wrapped data key/,
  ],
  [
    'a disk has another data key than its source',
    (t, { clone }) => changeDisk(t, clone, { encryption: encryptionOf(clone) }),
    /has not the data key of its source/,
  ],
  [
    'what was made from an encrypted one is plain',
    (t, { clone }) => {
      changeDisk(t, clone, { encryption: null });
      changeLineage(t, clone, { keyId: null });
    },
    /is under null, its source under key-/,
  ],
  [
    'a disk is on another shard than its source',
    (t, { clone }) => changeDisk(t, clone, { shardIndex: 1 }),
    /is on shard 1, its source on 0/,
  ],
  [
    'a shard index is too high',
    (t, { disk }) => changeDisk(t, disk, { shardIndex: 2 }),
    /is on shard 2 of 2/,
  ],
  [
    'a disk names another source than its lineage',
    (t, { clone }) => changeDisk(t, clone, { sourceSnapshotId: 's-zzzzzzzzzzzzzzzzzzzz' }),
    /was made from s-zzzz.*, its lineage says s-/,
  ],
  [
    'lineage stands for a disk that is gone',
    (t, { clone }) => t.remove(`disk/${clone}`),
    /has a lineage record and is no disk/,
  ],
  [
    'a deleted leaf is kept',
    (t, { clone }) => {
      t.remove(`disk/${clone}`);
      changeLineage(t, clone, { deletedAt: 1 });
    },
    /is deleted, nothing made from it is left/,
  ],
  [
    'a source is missing: a dangling edge',
    (t, { snapshot }) => t.remove(`lineage/${snapshot}`),
    /was made from s-.*, of which there is no record/,
  ],
  [
    'two are made from each other: a cycle',
    (t, { disk, clone }) => changeLineage(t, disk, { sourceId: clone }),
    /was made from d-.*, which is younger/,
  ],
  [
    'a membership is missing',
    (t, { disk }) => removeMember(t, groups.disks(scope), 1, disk),
    /is missing in the group disks\//,
  ],
  [
    'an edge is not listed at its source',
    (t, { clone, snapshot }) => removeMember(t, groups.madeFrom(snapshot), 3, clone),
    /is missing in the group made-from\//,
  ],
  [
    'a membership is of nothing',
    (t) => addMember(t, groups.disks(scope), 9, 'd-zzzzzzzzzzzzzzzzzzzz'),
    /is a membership of what does not exist/,
  ],
  [
    'a membership is one its record does not have',
    (t, { disk }) => addMember(t, groups.disksUnder(otherKey), 1, disk),
    /is a membership its record does not have/,
  ],
  [
    'a count is missing',
    (t) => t.remove(`count/${groups.disks(scope)}`),
    /has 2 members and no count/,
  ],
  [
    'a count counts too many',
    (t) => {
      const place = `count/${groups.disks(scope)}`;
      t.put(place, t.get('next/sequence')!);
    },
    /counts 3 members and has 2/,
  ],
  [
    'a record is damaged',
    (t, { disk }) => t.put(`disk/${disk}`, t.get(`disk/${disk}`)!.fill(0, 20, 21)),
    /DataDirectoryCorrupt: disk record: the checksum/,
  ],
  [
    'a record lies under another id',
    (t, { disk, clone }) => t.put(`disk/${disk}`, t.get(`disk/${clone}`)!),
    /the record of d-.* is that of d-/,
  ],
];

describe('the check of the metadata', () => {
  test('finds nothing where nothing is wrong', async () => {
    expect((await family()).metadata.check()).toEqual([]);
  });

  test.each(damages)('finds that %s', async (_, damage, sentence) => {
    const found = await family();
    await found.store.transact((transaction) => damage(transaction, found));
    const problems = metadataProblems(found.store);
    expect(problems.filter((problem) => sentence.test(problem))).not.toEqual([]);
  });
});

describe('a walk over lineage that is not one', () => {
  test('ends at the first step that is impossible, instead of going round for ever', async () => {
    const { store, metadata, disk, snapshot, clone } = await family();
    await store.transact((t) => changeLineage(t, disk, { sourceId: clone }));
    const record = metadata.lineage(clone)!;
    expect(() => metadata.ancestors(record)).toThrow(InvariantError);
    await store.transact((t) => addMember(t, groups.madeFrom(clone), 1, disk));
    expect(() => metadata.descendants(record)).toThrow(InvariantError);
    await store.transact((t) => t.remove(`lineage/${snapshot}`));
    expect(() => metadata.ancestors(record)).toThrow(InvariantError);
  });
});
