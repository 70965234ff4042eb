import { beforeEach, describe, expect, test } from 'vitest';
import type { KeyValueStore } from '../../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';
import { type DiskFilter, type Metadata, metadataOver } from '../../../src/meta/metadata.ts';
import type { DiskRecord } from '../../../src/record/resource.ts';
import { disk, diskId, encryption, snapshot, snapshotId } from './fixtures.ts';

const scope = { accountId: '1234567890123456', regionId: 'cn-hangzhou' };
const COUNT = 60;
const NAMES = ['', 'data', 'data/two', 'd\u00e4ta \u6570\u636e '.repeat(12)];

/** Disks of every state, in two regions. */
function diskOf(index: number): DiskRecord {
  const id = diskId(index);
  return disk(id, {
    regionId: index % 5 === 0 ? 'cn-beijing' : 'cn-hangzhou',
    status: index % 3 === 0 ? 'In_use' : 'Available',
    name: NAMES[index % NAMES.length] as string,
    encryption: index % 2 === 0 ? encryption(1, id) : null,
    layers: [{ tree: id, encryption: index % 2 === 0 ? encryption(1, id) : null }],
    tags: index % 4 === 0 ? { team: `t${index % 8}`, 'a/b': '' } : {},
  });
}

const DISKS = Array.from({ length: COUNT }, (_, index) => diskOf(index));

const FILTERS: readonly (readonly [string, DiskFilter, (disk: DiskRecord) => boolean])[] = [
  ['a state', { status: 'In_use' }, (each) => each.status === 'In_use'],
  ['encrypted', { isEncrypted: true }, (each) => each.encryption !== null],
  ['plain', { isEncrypted: false }, (each) => each.encryption === null],
  ...NAMES.slice(1).map(
    (name) =>
      [`the name ${name.slice(0, 8)}`, { name }, (each: DiskRecord) => each.name === name] as const,
  ),
  ['a tag', { tags: [{ key: 'team', value: 't4' }] }, (each) => each.tags.team === 't4'],
  ['a tag of no value', { tags: [{ key: 'a/b', value: '' }] }, (each) => each.tags['a/b'] === ''],
  ['a tag of any value', { tags: [{ key: 'team' }] }, (each) => each.tags.team !== undefined],
  [
    'a state, a tag and encryption',
    { status: 'Available', isEncrypted: true, tags: [{ key: 'team' }, { key: 'a/b', value: '' }] },
    (each) =>
      each.status === 'Available' && each.encryption !== null && each.tags.team !== undefined,
  ],
  ['a state nothing is in', { status: 'Creating' }, () => false],
];

/** Entries the store passed over or handed out. */
function counted(store: KeyValueStore): { store: KeyValueStore; take: () => number } {
  let entries = 0;
  return {
    store: {
      ...store,
      range: (query) => {
        const found = store.range(query);
        entries += (query.skip ?? 0) + found.length;
        return found;
      },
    },
    take: () => {
      const taken = entries;
      entries = 0;
      return taken;
    },
  };
}

describe('facets', () => {
  let metadata: Metadata;
  let take: () => number;
  beforeEach(async () => {
    const counting = counted(openMemoryStore());
    take = counting.take;
    metadata = metadataOver(counting.store);
    await metadata.commit({ putDisks: DISKS });
  });

  test.each(FILTERS)('%s: those it holds of, in the scope, and no others', (_, filter, holds) => {
    const found = metadata.listDisks({ scope, ...filter }, 0, 1_000);
    const expected = DISKS.filter((each) => each.regionId === scope.regionId && holds(each));
    expect(found.records.map(({ diskId: id }) => id)).toEqual(expected.map(({ diskId: id }) => id));
    expect(found.total).toBe(expected.length);
  });

  test('follow a disk that is changed, and are gone with it', async () => {
    const [first] = DISKS.filter((each) => each.regionId === scope.regionId && each.name !== '');
    const id = first?.diskId as string;
    const changed = { ...(first as DiskRecord), name: 'another', status: 'Detaching' as const };
    await metadata.commit({ putDisks: [changed] });
    const idsOf = (filter: DiskFilter): string[] =>
      metadata.listDisks({ scope, ...filter }, 0, 1_000).records.map((each) => each.diskId);
    expect(idsOf({ name: 'another' })).toEqual([id]);
    expect(idsOf({ status: 'Detaching' })).toEqual([id]);
    expect(idsOf({ name: first?.name as string })).not.toContain(id);
    expect(metadata.check()).toEqual([]);
    await metadata.commit({ removeDisks: [id] });
    expect(idsOf({ name: 'another' })).toEqual([]);
    expect(metadata.check()).toEqual([]);
  });

  test('of snapshots are their own', async () => {
    const source = diskId(1);
    const shots = [snapshot(snapshotId(1), source), snapshot(snapshotId(2), source, { name: 'x' })];
    await metadata.commit({ putSnapshots: shots });
    const found = metadata.listSnapshots({ scope, name: 'x', status: 'accomplished' }, 0, 10);
    expect(found.records.map((each) => each.snapshotId)).toEqual([snapshotId(2)]);
    expect(metadata.listDisks({ scope, name: 'x' }, 0, 10).total).toBe(0);
  });

  test('are not looked up without a scope', () => {
    expect(() => metadata.listDisks({ status: 'In_use' }, 0, 10)).toThrow(/in a scope/);
  });

  test('page after page passes over nothing', () => {
    const pageOf = (skip: number): string[] =>
      metadata.listDisks({ scope }, skip, 5).records.map((each) => each.diskId);
    const all = metadata.listDisks({ scope }, 0, 1_000).records.map((each) => each.diskId);
    pageOf(0);
    take();
    for (let skip = 5; skip < all.length; skip += 5) {
      expect(pageOf(skip)).toEqual(all.slice(skip, skip + 5));
      expect(take()).toBeLessThanOrEqual(5);
    }
    // Back, and forth by more than a page.
    expect(pageOf(10)).toEqual(all.slice(10, 15));
    expect(pageOf(20)).toEqual(all.slice(20, 25));
    expect(pageOf(all.length)).toEqual([]);
  });

  test('a page after a change is of the list as it is then', async () => {
    const pageOf = (skip: number): string[] =>
      metadata.listDisks({ scope }, skip, 5).records.map((each) => each.diskId);
    const all = metadata.listDisks({ scope }, 0, 1_000).records.map((each) => each.diskId);
    pageOf(0);
    await metadata.commit({ removeDisks: [all[0] as string] });
    expect(pageOf(5)).toEqual(all.slice(6, 11));
  });
});
