import { beforeEach, describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import type { KeyValueStore, KeyValueTransaction } from '../../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';
import { type Metadata, metadataOver } from '../../../src/meta/metadata.ts';
import { encodeRecord } from '../../../src/record/codec.ts';
import type { InstanceRecord } from '../../../src/record/document.ts';
import type { TombstoneRecord } from '../../../src/record/lineage.ts';
import type { DiskRecord } from '../../../src/record/resource.ts';
import { disk, diskId, encryption, keyId, lineageOf, snapshot, snapshotId } from './fixtures.ts';

const [root, restored, clone, plain, buried] = [1, 2, 3, 4, 5].map(diskId) as [
  string,
  string,
  string,
  string,
  string,
];
const [first, orphan] = [1, 2].map(snapshotId) as [string, string];
const nothing = new Uint8Array(0);
const instance: InstanceRecord = {
  accountId: '1234567890123456',
  regionId: 'cn-hangzhou',
  name: '',
  description: '',
  tags: {},
  createdAt: 1,
  instanceId: `i-${'1'.padStart(20, '0')}`,
  zoneId: 'cn-hangzhou-a',
  instanceType: 'ecs.g7.large',
  imageId: `m-${'1'.padStart(20, '0')}`,
  status: 'Stopped',
  hostName: '',
  deletionProtection: false,
  startedAt: null,
};
const protection = { encryption: encryption(1, root) };

/** root -> first -> restored -> clone, all encrypted; plain; buried (removed) -> orphan. */
async function setUp(): Promise<{ store: KeyValueStore; metadata: Metadata }> {
  const store = openMemoryStore();
  const metadata = metadataOver(store);
  await metadata.commit({
    putDisks: [
      disk(root, protection),
      disk(restored, { ...protection, sourceSnapshotId: first }),
      disk(clone, protection),
      disk(plain, { shardIndex: 7 }),
      disk(buried, { encryption: encryption(2, buried) }),
    ],
    putSnapshots: [
      snapshot(first, root, protection),
      snapshot(orphan, buried, { encryption: encryption(2, buried) }),
    ],
    putEdges: [{ childId: clone, parentId: restored }],
    removeDisks: [buried],
  });
  return { store, metadata };
}

const tombstone = (id: string): TombstoneRecord => ({
  id,
  kind: 'disk',
  accountId: '1234567890123456',
  regionId: 'cn-hangzhou',
  name: '',
  createdAt: 0,
  deletedAt: 1,
  keys: [null],
});

type Plant = (transaction: KeyValueTransaction) => void;
const put =
  (...keys: string[]): Plant =>
  (transaction) => {
    for (const key of keys) transaction.put(key, nothing);
  };
const drop =
  (...keys: string[]): Plant =>
  (transaction) => {
    for (const key of keys) transaction.remove(key);
  };
const both =
  (...plants: Plant[]): Plant =>
  (transaction) => {
    for (const plant of plants) plant(transaction);
  };
const putDisk = (id: string, record: DiskRecord): Plant => {
  return (transaction) => transaction.put(`disk/${id}`, encodeRecord('disk', record));
};
const scopeOf = (id: string): string => `1234567890123456/cn-hangzhou/${id}`;
const facetOf = (table: 'disk' | 'snap', facet: string, id: string): string =>
  `${table}-facet/1234567890123456/cn-hangzhou.${facet}/${id}`;
const putTree =
  (shard: number, tree: string, id: string): Plant =>
  (transaction) =>
    transaction.put(`tree/0${shard}/${tree}`, new TextEncoder().encode(id));
const putDocument =
  (kind: 'instance', key: string, record: InstanceRecord): Plant =>
  (transaction) =>
    transaction.put(`doc/${kind}/${key}`, encodeRecord(kind, record));
const flip = (key: string): Plant => {
  return (transaction) => {
    const bytes = transaction.get(key)!;
    bytes[bytes.length - 1]! ^= 1;
    transaction.put(key, bytes);
  };
};
const edge = (child: string, parent: string): string[] => [
  `from/${child}/${parent}`,
  `into/${parent}/${child}`,
];
const other = diskId(99);
const unwrapped = { encryption: { ...encryption(1, root), wrappedKey: nothing } };

/** What is planted, and every problem that is to be found, by what it begins or ends with. */
const DAMAGE: readonly [string, Plant, readonly RegExp[]][] = [
  ...[
    `disk-key/${keyId(1)}/${restored}`,
    `disk-source/${first}/${restored}`,
    `disk-shard/07/${plain}`,
    `disk-scope/${scopeOf(plain)}`,
    facetOf('disk', 'status.Available', plain),
    facetOf('snap', 'encrypted.true', first),
    `snap-key/${keyId(1)}/${first}`,
    `snap-disk/${root}/${first}`,
    `snap-shard/00/${orphan}`,
  ].map((key): [string, Plant, RegExp[]] => [
    `a missing ${key.split('/')[0]} entry`,
    drop(key),
    [new RegExp(`^${key}: .* its index entry is not$`), /^count of /],
  ]),
  ...[
    `disk-key/${keyId(3)}/${root}`,
    `disk-key/${keyId(1)}/${other}`,
    `disk-source/${first}/${clone}`,
    `disk-shard/01/${plain}`,
    facetOf('disk', 'status.In_use', plain),
    `snap-key/${keyId(2)}/${first}`,
    `snap-disk/${clone}/${first}`,
    `snap-shard/01/${orphan}`,
  ].map((key): [string, Plant, RegExp[]] => [
    `${key}, an entry of no record`,
    put(key),
    [new RegExp(`^${key}: an index entry of no record$`), /^count of /],
  ]),
  ['a missing tree entry', drop(`tree/07/${plain}`), [/^tree\/07\/d-0+4: expected the tree of d/]],
  ['a tree of another disk', putTree(7, plain, root), [/^tree\/07\/d-0+4: expected the tree of d/]],
  ['a tree no record names', putTree(3, other, other), [/^tree\/03\/d-0+99: a tree no record/]],
  [
    'an instance without its group entries',
    putDocument('instance', instance.instanceId, instance),
    [/^doc-in\/instance\/scope\/.* its group entry is not$/, /image.* is not$/, /^count/],
  ],
  [
    'an instance under the id of another',
    putDocument('instance', 'i-other', instance),
    [/^doc\/instance\/i-other: .* instance record of i-other is of i-0+1$/, /^count/],
  ],
  [
    'a group entry of no instance',
    put(`doc-in/instance/image/m-1/${instance.instanceId}`),
    [/^doc-in\/instance\/image\/.*: a group entry of no record$/, /^count/],
  ],
  ['a document of no kind', put('doc/volume/x'), [/^doc\/volume\/x: a key of no table$/, /^count/]],
  [
    'an index entry with a value',
    (transaction) => transaction.put(`disk-shard/07/${plain}`, Uint8Array.of(1)),
    [/^disk-shard\/07\/.*: 1 bytes, expected none$/],
  ],
  ['a key of no table', put('volume/x/y'), [/^volume\/x\/y: a key of no table$/]],
  ['a key without a table', put('volume'), [/^volume: a key of no table$/]],
  ['an edge cut short', put(`from/${root}`), [/^from\/.*: a key of no table$/]],
  ['an edge too long', put(`into/${root}/x/y`), [/^into\/.*: a key of no table$/]],
  ['a record changed by a bit', flip(`disk/${plain}`), [/^disk\/.*DataDirectoryCorrupt: .*checks/]],
  [
    'a damaged record in the middle of a lineage',
    flip(`disk/${restored}`),
    [/^disk\/.*DataDirectoryCorrupt/],
  ],
  ['a damaged snapshot', flip(`snap/${orphan}`), [/^snap\/.*DataDirectoryCorrupt/]],
  ['a damaged tombstone', flip(`tomb/${buried}`), [/^tomb\/.*DataDirectoryCorrupt/]],
  [
    'a record under the id of another',
    putDisk(plain, disk(other, { shardIndex: 7 })),
    [/^disk\/.*DataDirectoryCorrupt: disk record of d-0+4 is of d-0+99$/],
  ],
  [
    'a tombstone of another id',
    (transaction) => transaction.put(`tomb/${buried}`, encodeRecord('tombstone', tombstone(other))),
    [/^tomb\/.*DataDirectoryCorrupt: tombstone of d-0+5 is of d-0+99$/],
  ],
  [
    'an encrypted disk without a wrapped key',
    putDisk(root, disk(root, unwrapped)),
    [/^d-0+1: encrypted, no wrapped key$/],
  ],
  [
    'a plain disk from an encrypted snapshot',
    both(
      putDisk(restored, disk(restored, { sourceSnapshotId: first })),
      drop(`disk-key/${keyId(1)}/${restored}`, `disk-data/${root}/${restored}`),
      drop(facetOf('disk', 'encrypted.true', restored)),
      put(facetOf('disk', 'encrypted.false', restored)),
    ),
    [
      /^d-0+2 from s-0+1: d-0+2 is stored in plain, its source is encrypted$/,
      ...[/^count/, /^count/, /^count of disk-facet/, /^count of disk-facet/],
    ],
  ],
  [
    'a plain snapshot of an encrypted disk that was removed',
    both(
      (transaction) =>
        transaction.put(`snap/${orphan}`, encodeRecord('snapshot', snapshot(orphan, buried))),
      drop(`snap-key/${keyId(2)}/${orphan}`, `snap-data/${buried}/${orphan}`),
      drop(facetOf('snap', 'encrypted.true', orphan)),
      put(facetOf('snap', 'encrypted.false', orphan)),
    ),
    [
      /^s-0+2 from d-0+5: the source was encrypted, s-0+2 is not$/,
      ...[/^count/, /^count/, /^count of snap-facet/, /^count of snap-facet/],
    ],
  ],
  [
    'a clone on another shard than its source',
    both(
      putDisk(clone, disk(clone, { ...protection, shardIndex: 1 })),
      drop(`disk-shard/00/${clone}`, `tree/00/${clone}`),
      put(`disk-shard/01/${clone}`),
      putTree(1, clone, clone),
    ),
    [/^d-0+3 from d-0+2: d-0+3 is on another shard/, /^count/, /^count/],
  ],
  [
    'an edge without its upward half',
    drop(`from/${clone}/${restored}`),
    [/^d-0+3 from d-0+2: the edge has no upward entry$/],
  ],
  [
    'an edge without its downward half',
    drop(`into/${restored}/${clone}`),
    [/^d-0+3 from d-0+2: the edge has no downward entry$/],
  ],
  [
    'an edge lost in both halves that its record speaks of',
    drop(...edge(restored, first)),
    [/^d-0+2: made from s-0+1, but no edge says so$/],
  ],
  [
    'an edge lost in both halves of a snapshot, and with it the reason of a tombstone',
    drop(...edge(orphan, buried)),
    [/^s-0+2: made from d-0+5, but no edge says so$/, /^d-0+5: a tombstone nothing came from$/],
  ],
  [
    'an edge to nothing',
    put(...edge(plain, other)),
    [/^d-0+4 from d-0+99: dangling, nothing is d-0+99$/],
  ],
  [
    'an edge from nothing',
    put(...edge(other, plain)),
    [/^d-0+99 from d-0+4: dangling, nothing is d-0+99$/],
  ],
  [
    'an edge to a snapshot the disk does not speak of',
    put(...edge(plain, first)),
    [
      /^d-0+4 from s-0+1: .* another shard/,
      /^d-0+4: an edge says it is made from s-0+1, the disk does not$/,
    ],
  ],
  ['a second parent', put(...edge(clone, root)), [/^d-0+3: made from d-0+1 and d-0+2$/]],
  [
    'a cycle',
    put(...edge(root, clone)),
    [/^d-0+\d: lineage has a cycle, 4 ids are in it or came from it$/],
  ],
  ['a disk made from itself', put(...edge(plain, plain)), [/^d-0+4: lineage has a cycle, 1 ids/]],
  [
    'a tombstone of what is there',
    (transaction) => transaction.put(`tomb/${root}`, encodeRecord('tombstone', tombstone(root))),
    [/^d-0+1: has a tombstone and is there$/],
  ],
  [
    'a tombstone nothing came from',
    (transaction) => transaction.put(`tomb/${other}`, encodeRecord('tombstone', tombstone(other))),
    [/^d-0+99: a tombstone nothing came from$/],
  ],
  ['a lost tombstone', drop(`tomb/${buried}`), [/^s-0+2 from d-0+5: dangling, nothing is d-0+5$/]],
  [
    'a whole disk the counts do not know of',
    both(
      putDisk(other, disk(other)),
      put(`disk-shard/00/${other}`, `disk-scope/${scopeOf(other)}`),
      put(facetOf('disk', 'status.Available', other), facetOf('disk', 'encrypted.false', other)),
      putTree(0, other, other),
    ),
    [
      /^count of disk\/: 4 kept, 5 found$/,
      /^count of disk-shard\/00\/: 3 kept, 4 found$/,
      /^count of disk-scope\/.*: 4 kept, 5 found$/,
      /^count of disk-facet\/.*status.Available\/: 4 kept, 5 found$/,
      /^count of disk-facet\/.*encrypted.false\/: . kept, . found$/,
    ],
  ],
];

describe('the checker', () => {
  let store: KeyValueStore;
  let metadata: Metadata;
  beforeEach(async () => {
    ({ store, metadata } = await setUp());
  });

  test('finds nothing where nothing is planted', () => {
    expect(metadata.check()).toEqual([]);
  });

  test.each(DAMAGE)('finds %s, and only that', async (_, plant, expected) => {
    await store.transact(plant);
    const problems = metadata.check();
    expect(problems, problems.join('\n')).toHaveLength(expected.length);
    for (const pattern of expected) {
      expect(problems, `${pattern}`).toContainEqual(expect.stringMatching(pattern));
    }
  });
});

describe('damage met on the way', () => {
  let store: KeyValueStore;
  let metadata: Metadata;
  beforeEach(async () => {
    ({ store, metadata } = await setUp());
  });
  const corrupt = expect.objectContaining({ code: 'DataDirectoryCorrupt' });

  test('of a record is DataDirectoryCorrupt from whatever reads it', async () => {
    await store.transact(both(flip(`disk/${restored}`), flip(`tomb/${buried}`)));
    expect(() => metadata.getDisk(restored)).toThrow(corrupt);
    expect(() => metadata.listDisks({}, 0, 10)).toThrow(corrupt);
    expect(() => metadata.listDisks({ sourceSnapshotId: first }, 0, 10)).toThrow(corrupt);
    expect(() => metadata.disksWithStatus(['Creating'])).toThrow(corrupt);
    expect(() => lineageOf(metadata, root)).toThrow(corrupt);
    expect(() => lineageOf(metadata, orphan)).toThrow(corrupt);
    await expect(metadata.commit({ removeDisks: [restored] })).rejects.toEqual(corrupt);
    expect(metadata.getDisk(root)?.diskId).toBe(root);
  });

  test('of an index is DataDirectoryCorrupt from the listing that follows it', async () => {
    await store.transact(put(`disk-key/${keyId(1)}/${other}`, `disk-source/${first}/${other}`));
    expect(() => metadata.listDisks({ keyId: keyId(1) }, 0, 10)).toThrow(corrupt);
    const filter = { keyId: keyId(1), sourceSnapshotId: first };
    expect(() => metadata.listDisks(filter, 0, 10)).toThrow(corrupt);
  });

  test('of an edge is DataDirectoryCorrupt, a cycle a broken invariant, both ways', async () => {
    await store.transact(put(...edge(plain, other)));
    expect(() => lineageOf(metadata, plain)).toThrow(corrupt);
    await store.transact(put(...edge(root, clone), ...edge(buried, clone)));
    // buried and orphan hang below the cycle: their walks end.
    for (const id of [buried, orphan]) expect(lineageOf(metadata, id).length).toBeGreaterThan(4);
    for (const id of [root, first, restored, clone]) {
      expect(() => lineageOf(metadata, id)).toThrow(InvariantError);
    }
    await store.transact(put(`into/${buried}/${buried}`));
    expect(lineageOf(metadata, buried).length).toBeGreaterThan(4);
  });
});
