import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import { type Metadata, openMetadata } from '../../../src/meta/metadata.ts';
import { disk, diskId, encryption, keyId, lineageOf, snapshot, snapshotId } from './fixtures.ts';

const [d1, d2, d3, d4] = [1, 2, 3, 4].map(diskId) as [string, string, string, string];
const [s1, s2] = [1, 2].map(snapshotId) as [string, string];
const idsOf = (entries: readonly { readonly id: string }[]): string[] =>
  entries.map((entry) => entry.id);

describe.each(['memory', 'lmdb'])('metadata over %s', (kind) => {
  let directory: string;
  let metadata: Metadata;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sealdisk-meta-'));
    metadata = await openMetadata(kind === 'memory' ? null : join(directory, 'metadata'));
  });
  afterEach(async () => {
    expect(metadata.check()).toEqual([]);
    await metadata.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('a record reads back as it was put, and a later one takes its place', async () => {
    const first = disk(d1, { encryption: encryption(1, d1), name: 'Ü' });
    const shot = snapshot(s1, d1, { encryption: first.encryption });
    await metadata.commit({ putDisks: [first], putSnapshots: [shot] });
    expect(metadata.getDisk(d1)).toEqual(first);
    expect(metadata.getSnapshot(s1)).toEqual(shot);
    const later = { ...first, status: 'In_use', encryption: encryption(2, d1) } as const;
    await metadata.commit({ putDisks: [later] });
    expect(metadata.getDisk(d1)).toEqual(later);
    expect(metadata.listDisks({}, 0, 10)).toEqual({ total: 1, records: [later] });
    expect(metadata.listDisks({ keyId: keyId(1) }, 0, 10)).toEqual({ total: 0, records: [] });
    expect(metadata.listDisks({ keyId: keyId(2) }, 0, 10).records).toEqual([later]);
    expect(metadata.disksWithStatus(['In_use', 'Creating'])).toEqual([later]);
    expect(metadata.disksWithStatus(['Available'])).toEqual([]);
  });

  test('what is not an id is not found, whatever it is', async () => {
    await metadata.commit({ putDisks: [disk(d1)] });
    for (const text of ['', 'd-', 'd-../../etc/passwd', 'x y', 'ä', '/', 'disk/', `${d1} `]) {
      expect(metadata.getDisk(text)).toBeUndefined();
      expect(metadata.getSnapshot(text)).toBeUndefined();
      expect(lineageOf(metadata, text)).toEqual([]);
      expect(metadata.listDisks({ keyId: text }, 0, 10).total).toBe(0);
      expect(metadata.listDisks({ sourceSnapshotId: text }, 0, 10).total).toBe(0);
      expect(metadata.listSnapshots({ keyId: text }, 0, 10).total).toBe(0);
      expect(metadata.listSnapshots({ diskId: text }, 0, 10).total).toBe(0);
    }
    expect(metadata.getDisk(d2)).toBeUndefined();
    expect(lineageOf(metadata, d2)).toEqual([]);
    expect(lineageOf(metadata, keyId(1))).toEqual([]);
    await metadata.commit({ removeDisks: [d2, 'not an id'], removeSnapshots: [s1] });
    expect(metadata.listDisks({}, 0, 10).total).toBe(1);
  });

  test('a commit does not see what its caller does to the records afterwards', async () => {
    const record = { ...disk(d1, { encryption: encryption(1, d1) }) };
    const expected = structuredClone(record);
    const putDisks = [record];
    const committed = metadata.commit({ putDisks });
    record.encryption!.wrappedKey.fill(0);
    Object.assign(record.encryption!, { keyId: keyId(9) });
    Object.assign(record, { shardIndex: 7, diskId: d2 });
    putDisks.pop();
    await committed;
    expect(metadata.getDisk(d1)).toEqual(expected);
    expect(metadata.listDisks({ keyId: keyId(1) }, 0, 1).total).toBe(1);
    expect(metadata.treeNamesOfShard(0)).toEqual([d1]);
  });

  test('lineage goes up and down, nearest first, each id once', async () => {
    const protection = { encryption: encryption(1, d1) };
    await metadata.commit({ putDisks: [disk(d1, protection)] });
    await metadata.commit({ putSnapshots: [snapshot(s1, d1, protection)] });
    await metadata.commit({ putDisks: [disk(d2, { ...protection, sourceSnapshotId: s1 })] });
    await metadata.commit({
      putDisks: [disk(d3, protection), disk(d4)],
      putEdges: [{ childId: d3, parentId: d2 }],
    });
    await metadata.commit({ putSnapshots: [snapshot(s2, d2, protection)] });
    const own = { id: d2, kind: 'disk', from: [s1], keyId: keyId(1) };
    expect(lineageOf(metadata, d2)[0]).toEqual(own);
    expect(idsOf(lineageOf(metadata, d2))).toEqual([d2, s1, d1, d3, s2]);
    expect(idsOf(lineageOf(metadata, d1))).toEqual([d1, s1, d2, d3, s2]);
    expect(idsOf(lineageOf(metadata, s2))).toEqual([s2, d2, s1, d1]);
    expect(lineageOf(metadata, d4)).toEqual([{ id: d4, kind: 'disk', from: [], keyId: '' }]);
    const byKey = lineageOf(metadata, keyId(1));
    expect(idsOf(byKey)).toEqual([d1, d2, d3, s1, s2]);
    expect(byKey[1]).toEqual(own);
    expect(byKey[3]).toEqual({ id: s1, kind: 'snapshot', from: [d1], keyId: keyId(1) });
  });

  test('what was removed stays in the lineage as long as something came from it', async () => {
    const protection = { encryption: encryption(1, d1) };
    await metadata.commit({
      putDisks: [disk(d1, protection), disk(d2, { ...protection, sourceSnapshotId: s1 })],
      putSnapshots: [snapshot(s1, d1, protection)],
    });
    await metadata.commit({ removeDisks: [d1] });
    await metadata.commit({ removeSnapshots: [s1] });
    expect(metadata.getSnapshot(s1)).toBeUndefined();
    expect(lineageOf(metadata, d2)).toEqual([
      { id: d2, kind: 'disk', from: [s1], keyId: keyId(1) },
      { id: s1, kind: 'snapshot', from: [d1], keyId: keyId(1) },
      { id: d1, kind: 'disk', from: [], keyId: keyId(1) },
    ]);
    expect(idsOf(lineageOf(metadata, d1))).toEqual([d1, s1, d2]);
    expect(idsOf(lineageOf(metadata, keyId(1)))).toEqual([d2]);
    await metadata.commit({ putDisks: [disk(d2, { ...metadata.getDisk(d2), status: 'In_use' })] });
    expect(idsOf(lineageOf(metadata, d2))).toEqual([d2, s1, d1]);
    await metadata.commit({ removeDisks: [d2] });
    for (const id of [d1, s1, d2]) expect(lineageOf(metadata, id)).toEqual([]);
  });

  test('an edge to what is not there is refused as not found, and nothing is changed', async () => {
    await metadata.commit({ putDisks: [disk(d1)], putSnapshots: [snapshot(s1, d1)] });
    await metadata.commit({ putDisks: [disk(d2, { sourceSnapshotId: s1 })] });
    await metadata.commit({ removeSnapshots: [s1] });
    const refused: [Parameters<Metadata['commit']>[0], string][] = [
      [{ putDisks: [disk(d3, { sourceSnapshotId: s1 })] }, 'InvalidSnapshotId.NotFound'],
      [{ putDisks: [disk(d3, { sourceSnapshotId: s2 })] }, 'InvalidSnapshotId.NotFound'],
      [{ putSnapshots: [snapshot(s2, d4)] }, 'InvalidDiskId.NotFound'],
      [
        { putDisks: [disk(d3)], putEdges: [{ childId: d3, parentId: d4 }] },
        'InvalidDiskId.NotFound',
      ],
    ];
    for (const [change, code] of refused) {
      await expect(metadata.commit({ ...change, removeDisks: [d1] })).rejects.toMatchObject({
        code,
      });
    }
    expect(metadata.listDisks({}, 0, 10).records.map((record) => record.diskId)).toEqual([d1, d2]);
    expect(metadata.listSnapshots({}, 0, 10).total).toBe(0);
  });

  test('one change may make a disk from a snapshot and remove the snapshot', async () => {
    await metadata.commit({ putDisks: [disk(d1)], putSnapshots: [snapshot(s1, d1)] });
    await metadata.commit({
      putDisks: [disk(d2, { sourceSnapshotId: s1 })],
      removeSnapshots: [s1],
    });
    expect(idsOf(lineageOf(metadata, d2))).toEqual([d2, s1, d1]);
  });

  test('a change that breaks the lineage or what a disk keeps is a broken invariant', async () => {
    const protection = { encryption: encryption(1, d1) };
    await metadata.commit({
      putDisks: [disk(d1, protection), disk(d2, protection), disk(d3, { shardIndex: 1 }), disk(d4)],
      putEdges: [{ childId: d2, parentId: d1 }],
      putSnapshots: [snapshot(s1, d1, protection)],
    });
    const broken: [Parameters<Metadata['commit']>[0], RegExp][] = [
      [{ putEdges: [{ childId: d1, parentId: d2 }] }, /no cycle/],
      [{ putEdges: [{ childId: d4, parentId: d4 }] }, /no cycle/],
      [{ putEdges: [{ childId: d2, parentId: s1 }] }, /made from one source/],
      [{ putEdges: [{ childId: diskId(9), parentId: d1 }] }, /is there before/],
      [{ putEdges: [{ childId: keyId(1), parentId: d1 }] }, /between disks and snapshots/],
      [{ putEdges: [{ childId: d3, parentId: d4 }] }, /another shard/],
      [{ putEdges: [{ childId: d4, parentId: d1 }] }, /stored in plain/],
      [{ putDisks: [disk(d1, { ...protection, shardIndex: 1 })] }, /stays on its shard/],
      [{ putDisks: [disk(d1, { ...protection, sourceSnapshotId: s1 })] }, /keeps its source/],
      [{ putDisks: [disk(d1)] }, /is encrypted and stays so/],
      [
        { putDisks: [disk(d1, { ...protection, layers: [{ tree: d1, encryption: null }] })] },
        /as its top layer is/,
      ],
      [
        {
          putDisks: [
            disk(d4, { encryption: { ...encryption(1, d4), wrappedKey: new Uint8Array() } }),
          ],
        },
        /wrapped key/,
      ],
      [{ putDisks: [disk('d-1', { layers: [{ tree: d4, encryption: null }] })] }, /diskId/],
    ];
    for (const [change, message] of broken) {
      const committed = metadata.commit(change);
      await expect(committed).rejects.toThrow(InvariantError);
      await expect(committed).rejects.toThrow(message);
    }
    await metadata.commit({ removeDisks: [d1] });
    await expect(metadata.commit({ putDisks: [disk(d1)] })).rejects.toThrow(/not used twice/);
  });

  test('a new disk goes to the shard with the fewest, those being made counted', async () => {
    const shards = [2, 0, 2, 1].flatMap((count, shardIndex) => Array(count).fill(shardIndex));
    await metadata.commit({
      putDisks: shards.map((shardIndex: number, index) => disk(diskId(index), { shardIndex })),
    });
    expect(Array.from({ length: 7 }, () => metadata.leastLoadedShard(4))).toEqual([
      1, 1, 3, 0, 1, 2, 3,
    ]);
    // One of the three answered 1 is committed, the other two still count.
    await metadata.commit({ putDisks: [disk(diskId(100), { shardIndex: 1 })] });
    expect(metadata.leastLoadedShard(4)).toBe(0);
    // As many committed as were answered: now 4, 3, 4, 4.
    const made = [1, 3, 0, 1, 2, 3, 0, 2, 3];
    await metadata.commit({
      putDisks: made.map((shardIndex, index) => disk(diskId(101 + index), { shardIndex })),
    });
    expect(metadata.leastLoadedShard(4)).toBe(1);
    expect(metadata.leastLoadedShard(2)).toBe(0);
    await metadata.commit({ removeDisks: [diskId(102), diskId(106), diskId(109)] });
    expect(metadata.leastLoadedShard(4)).toBe(3);
  });

  test('a disk made where no new one was placed yet confuses nothing', async () => {
    await metadata.commit({ putDisks: [disk(d1, { shardIndex: 0 })] });
    expect(metadata.leastLoadedShard(2)).toBe(1);
    // Of a snapshot: it goes where that is.
    await metadata.commit({ putDisks: [disk(d2, { shardIndex: 0 })] });
    expect(Array.from({ length: 3 }, () => metadata.leastLoadedShard(2))).toEqual([1, 0, 1]);
  });

  test('after close everything is refused, and closing twice is closing once', async () => {
    const last = metadata.commit({ putDisks: [disk(d1)] });
    const closed = metadata;
    metadata = await openMetadata(null);
    await last;
    await Promise.all([closed.close(), closed.close()]);
    expect(() => closed.getDisk(d1)).toThrow(/PlaneClosed/);
    expect(() => closed.listDisks({}, 0, 1)).toThrow(/PlaneClosed/);
    await expect(closed.commit({})).rejects.toMatchObject({ code: 'PlaneClosed' });
  });

  test('what was committed is there after reopening, counts too', async () => {
    if (kind === 'memory') return;
    await metadata.commit({
      putDisks: [disk(d1, { shardIndex: 1 }), disk(d2, { encryption: encryption(3, d2) })],
      putSnapshots: [snapshot(s1, d1, { shardIndex: 1 })],
    });
    await metadata.commit({ removeDisks: [d1] });
    await metadata.close();
    metadata = await openMetadata(join(directory, 'metadata'));
    expect(metadata.listDisks({ keyId: keyId(3) }, 0, 1)).toMatchObject({
      total: 1,
      records: [{ diskId: d2 }],
    });
    expect(metadata.treeNamesOfShard(1)).toEqual([s1]);
    expect(metadata.leastLoadedShard(2)).toBe(1);
    expect(idsOf(lineageOf(metadata, s1))).toEqual([s1, d1]);
  });
});

test('a directory whose store is damaged is refused', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sealdisk-meta-'));
  try {
    mkdirSync(join(directory, 'metadata'));
    writeFileSync(join(directory, 'metadata', 'data.mdb'), 'not a store');
    await expect(openMetadata(join(directory, 'metadata'))).rejects.toMatchObject({
      code: 'DataDirectoryCorrupt',
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
