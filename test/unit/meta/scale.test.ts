import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { KeyValueReader, KeyValueStore } from '../../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';
import {
  type Metadata,
  type MetadataChange,
  metadataOver,
  openMetadata,
} from '../../../src/meta/metadata.ts';
import { disk, diskId, encryption, keyId, lineageOf, snapshot, snapshotId } from './fixtures.ts';

const DISKS = 10_000;
const WAVE = 100;
/** Ids in no order of their making. */
const idOf = (index: number): string => diskId((index * 7_919) % 10_007);

/**
 * Commits in waves of 100 in flight at once.
 *
 * @returns milliseconds of processor time of each wave: of wall time, on a machine that others use
 *   too, nothing follows
 */
async function commitAll(
  metadata: Metadata,
  change: (index: number) => MetadataChange,
): Promise<number[]> {
  const wavesMs: number[] = [];
  for (let first = 0; first < DISKS; first += WAVE) {
    const before = process.cpuUsage();
    const indexes = Array.from({ length: WAVE }, (_, offset) => first + offset);
    await Promise.all(indexes.map((index) => metadata.commit(change(index))));
    const { user, system } = process.cpuUsage(before);
    wavesMs.push((user + system) / 1_000);
  }
  return wavesMs;
}

/** The fastest of some repetitions: what the work costs when nobody else has the processor. */
function fastestMs(repetitions: number, run: () => unknown): number {
  let fastest = Number.POSITIVE_INFINITY;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const startMs = performance.now();
    run();
    fastest = Math.min(fastest, performance.now() - startMs);
  }
  return fastest;
}

/** Every key and entry that a store is asked for, or given, counted. */
function countingStore(store: KeyValueStore): { store: KeyValueStore; take: () => number } {
  let accesses = 0;
  const reader = (from: KeyValueReader): KeyValueReader => ({
    get: (key) => {
      accesses++;
      return from.get(key);
    },
    range: (query) => {
      const entries = from.range(query);
      accesses += 1 + entries.length;
      return entries;
    },
  });
  const counting: KeyValueStore = {
    ...reader(store),
    close: () => store.close(),
    transact: (run) =>
      store.transact((transaction) =>
        run({
          ...reader(transaction),
          put: (key, value) => {
            accesses++;
            transaction.put(key, value);
          },
          remove: (key) => {
            accesses++;
            transaction.remove(key);
          },
        }),
      ),
  };
  const take = (): number => {
    const taken = accesses;
    accesses = 0;
    return taken;
  };
  return { store: counting, take };
}

test('what a verb asks of the store does not grow with the number of disks', async () => {
  const { store, take } = countingStore(openMemoryStore());
  const metadata = metadataOver(store);
  const source = diskId(1_000_000);
  const protection = { encryption: encryption(1, source) };
  await metadata.commit({ putDisks: [disk(source, protection)] });
  /** Accesses of one life: snapshot, disk from it, clone, pages, removal of the three. */
  const live = async (number: number, skip: number): Promise<number[]> => {
    const [shot, made, clone] = [snapshotId(number), diskId(number), diskId(number + 500_000)];
    const steps: (() => unknown)[] = [
      () => metadata.commit({ putSnapshots: [snapshot(shot, source, protection)] }),
      () => metadata.commit({ putDisks: [disk(made, { ...protection, sourceSnapshotId: shot })] }),
      () =>
        metadata.commit({
          putDisks: [disk(clone, protection)],
          putEdges: [{ childId: clone, parentId: made }],
        }),
      () => metadata.listDisks({}, skip, 1),
      () => metadata.listDisks({ keyId: keyId(1) }, skip, 1),
      () => metadata.listDisks({ sourceSnapshotId: shot }, 0, 10),
      () => metadata.listSnapshots({ diskId: source }, 0, 1),
      () => metadata.listDisks({ keyId: keyId(1), sourceSnapshotId: shot }, 0, 10),
      () => metadata.leastLoadedShard(64),
      () => lineageOf(metadata, clone),
      () => metadata.commit({ removeSnapshots: [shot] }),
      () => metadata.commit({ removeDisks: [made] }),
      () => metadata.commit({ removeDisks: [clone] }),
    ];
    const accesses: number[] = [];
    for (const step of steps) {
      // Has everything forgotten that a step before has read: nobody is asked for that again.
      await metadata.commit({});
      take();
      await step();
      accesses.push(take());
    }
    return accesses;
  };
  const few = await live(0, 0);
  for (let number = 1; number < DISKS; number += 1_000) {
    const numbers = Array.from({ length: 1_000 }, (_, offset) => number + offset);
    await metadata.commit({
      putSnapshots: numbers.map((each) => snapshot(snapshotId(each), source, protection)),
      putDisks: numbers.map((each) => disk(diskId(each), protection)),
    });
  }
  const many = await live(20_000, DISKS / 2);
  expect(metadata.listDisks({}, 0, 1).total).toBe(DISKS + 1);
  expect(many).toEqual(few);
  expect(Math.max(...many)).toBeLessThan(40);
});

describe.each(['memory', 'lmdb'])('metadata over %s', (kind) => {
  test('among 10,000 disks a create and a page cost what they do among few', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sealdisk-meta-'));
    let metadata = await openMetadata(kind === 'memory' ? null : directory);
    try {
      const created = await commitAll(metadata, (index) => {
        const id = idOf(index);
        const protection = { encryption: encryption(index % 2, id), shardIndex: index % 4 };
        return { putDisks: [disk(id, protection)] };
      });
      // The cheapest of ten waves: no collection of garbage falls into it.
      const few = Math.min(...created.slice(0, 10));
      const many = Math.min(...created.slice(-10));
      const firstPageMs = fastestMs(20, () => metadata.listDisks({}, 0, 10));
      const lastPageMs = fastestMs(20, () => metadata.listDisks({}, DISKS - 10, 10));
      const keyPageMs = fastestMs(20, () => metadata.listDisks({ keyId: keyId(1) }, 4_990, 10));
      const shardMs = fastestMs(20, () => metadata.leastLoadedShard(4));
      const key = lineageOf(metadata, keyId(1));
      const lineageMs = fastestMs(3, () => lineageOf(metadata, keyId(1)));
      const checkMs = fastestMs(1, () => expect(metadata.check()).toEqual([]));
      expect(metadata.listDisks({}, 0, 10).total).toBe(DISKS);
      expect(metadata.listDisks({ keyId: keyId(1) }, 4_990, 10)).toMatchObject({
        total: DISKS / 2,
        records: { length: 10 },
      });
      expect(key.length).toBe(DISKS / 2);
      let openMs = 0;
      if (kind === 'lmdb') {
        await metadata.close();
        const startMs = performance.now();
        metadata = await openMetadata(directory);
        openMs = performance.now() - startMs;
      }
      const removed = await commitAll(metadata, (index) => ({ removeDisks: [idOf(index)] }));
      const removedMany = Math.min(...removed.slice(0, 10));
      const removedFew = Math.min(...removed.slice(-10));
      const us = (ms: number, count = 1): string => `${((ms * 1_000) / count).toFixed(0)} us`;
      console.log(
        `${kind}, processor time of one create: ${us(few, WAVE)} first, ${us(many, WAVE)} last; ` +
          `remove ${us(removedMany, WAVE)} first, ${us(removedFew, WAVE)} last; ` +
          `page of 10: first ${us(firstPageMs)}, last ${us(lastPageMs)}, ` +
          `by key ${us(keyPageMs)}; shard ${us(shardMs)}; ` +
          `lineage of a key of 5,000 ${us(lineageMs)}; check ${us(checkMs)}; open ${us(openMs)}`,
      );
      expect(many).toBeLessThan(3 * few);
      expect(metadata.listDisks({}, 0, 10)).toEqual({ total: 0, records: [] });
      expect(metadata.check()).toEqual([]);
    } finally {
      await metadata.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test('a chain of 500 generations is walked, and pruned from its living end', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sealdisk-meta-'));
    const metadata = await openMetadata(kind === 'memory' ? null : directory);
    try {
      const ids = Array.from({ length: 500 }, (_, index) => diskId(index));
      const putEdges = ids.slice(1).map((childId, index) => ({ childId, parentId: ids[index]! }));
      await metadata.commit({ putDisks: ids.map((id) => disk(id)), putEdges });
      const last = ids.at(-1)!;
      expect(lineageOf(metadata, last).map((entry) => entry.id)).toEqual([...ids].reverse());
      expect(lineageOf(metadata, ids[0]!).map((entry) => entry.id)).toEqual(ids);
      await metadata.commit({ removeDisks: ids.slice(0, -1) });
      expect(lineageOf(metadata, last).length).toBe(500);
      expect(metadata.check()).toEqual([]);
      await metadata.commit({ removeDisks: [last] });
      for (const id of ids) expect(lineageOf(metadata, id)).toEqual([]);
      expect(metadata.check()).toEqual([]);
    } finally {
      await metadata.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test('a removed disk with 1,500 snapshots is forgotten with the last of them', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sealdisk-meta-'));
    const metadata = await openMetadata(kind === 'memory' ? null : directory);
    try {
      const source = diskId(1);
      const ids = Array.from({ length: 1_500 }, (_, index) => snapshotId(index));
      await metadata.commit({
        putDisks: [disk(source)],
        putSnapshots: ids.map((id) => snapshot(id, source)),
      });
      await metadata.commit({ removeDisks: [source] });
      expect(lineageOf(metadata, source).length).toBe(1_501);
      await metadata.commit({ removeSnapshots: ids.slice(1) });
      expect(lineageOf(metadata, source).map((entry) => entry.id)).toEqual([source, ids[0]]);
      await metadata.commit({ removeSnapshots: [ids[0]!] });
      expect(lineageOf(metadata, source)).toEqual([]);
      expect(metadata.check()).toEqual([]);
    } finally {
      await metadata.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
