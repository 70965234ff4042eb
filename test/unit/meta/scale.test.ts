/** Many disks: no step grows with their number. Counted, not timed, so a slow machine may pass. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { KeyValueReader, KeyValueStore } from '../../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';
import { type Metadata, openMetadataStore } from '../../../src/meta/metadata.ts';
import { encryptionOf, keyId, newDisk, newSnapshot, openTestMetadata, scope } from './support.ts';

const COUNTED = 1_500;
const ON_FILES = 10_000;

/** Counts what is asked of a store, in and outside transactions. */
function counting(store: KeyValueStore): { store: KeyValueStore; take: () => number } {
  let operations = 0;
  const reader = (inner: KeyValueReader): KeyValueReader => ({
    get: (key) => {
      operations++;
      return inner.get(key);
    },
    range: (query) => {
      const found = inner.range(query);
      operations += 1 + found.length;
      return found;
    },
  });
  const counted: KeyValueStore = {
    ...reader(store),
    transact: (run) =>
      store.transact((transaction) =>
        run({
          ...reader(transaction),
          put: (key, value) => {
            operations++;
            transaction.put(key, value);
          },
          remove: (key) => {
            operations++;
            transaction.remove(key);
          },
        }),
      ),
    close: () => store.close(),
  };
  const take = (): number => {
    const taken = operations;
    operations = 0;
    return taken;
  };
  return { store: counted, take };
}

const insert = async (metadata: Metadata): Promise<string> => {
  const disk = newDisk();
  const encryption = encryptionOf(disk.diskId);
  return (await metadata.insertDisk({ ...disk, encryption }, null)).diskId;
};

describe('with many disks', () => {
  test('making, listing, changing and deleting one asks as much of the store as with ten', async () => {
    const { store, take } = counting(openMemoryStore());
    const metadata = await openTestMetadata(store);
    const cost = async (run: () => unknown): Promise<number> => {
      take();
      await run();
      return take();
    };
    const ids: string[] = [];
    const measure = async (): Promise<number[]> => {
      const disk = metadata.disk(ids[0]!)!;
      const snapshot = newSnapshot(disk);
      return [
        await cost(async () => ids.push(await insert(metadata))),
        await cost(() => metadata.updateDisk(ids[1]!, { status: 'In_use' })),
        await cost(() => metadata.insertSnapshot(snapshot)),
        await cost(() => metadata.removeSnapshot(snapshot.snapshotId, 1)),
        await cost(() => metadata.disks({ ...scope, keyId }, { skip: 0, limit: 10 })),
        await cost(() => metadata.disks(scope, { skip: ids.length - 10, limit: 10 })),
        await cost(() => metadata.removeDisk(ids.pop()!, 1)),
      ];
    };
    while (ids.length < 10) ids.push(await insert(metadata));
    const withTen = await measure();
    while (ids.length < COUNTED) ids.push(await insert(metadata));
    expect(await measure()).toEqual(withTen);
    expect(Math.max(...withTen)).toBeLessThan(40);
    for (const id of ids.splice(0)) await metadata.removeDisk(id, 2);
    expect(metadata.disks(scope, { skip: 0, limit: 1 }).total).toBe(0);
    expect(metadata.check()).toEqual([]);
  });

  test('10,000 on files are all made, listed page by page and deleted', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sealdisk-meta-'));
    try {
      const metadata = await openTestMetadata(openMetadataStore(directory));
      const ids = await Promise.all(Array.from({ length: ON_FILES }, () => insert(metadata)));
      const seen: string[] = [];
      for (let skip = 0; ; skip += 100) {
        const { total, records } = metadata.disks(scope, { skip, limit: 100 });
        expect(total).toBe(ON_FILES);
        if (records.length === 0) break;
        seen.push(...records.map(({ diskId }) => diskId));
      }
      expect(seen).toHaveLength(ON_FILES);
      expect(new Set(seen)).toEqual(new Set(ids));
      await Promise.all(ids.map((id) => metadata.removeDisk(id, 3)));
      expect(metadata.disks(scope, { skip: 0, limit: 1 })).toEqual({ total: 0, records: [] });
      await metadata.close();
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
