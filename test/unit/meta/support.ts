/** Metadata over a memory store, and records to put into it. */
import { randomBytes } from 'node:crypto';
import type { KeyValueStore } from '../../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';
import { type Metadata, type NewDisk, openMetadata } from '../../../src/meta/metadata.ts';
import { makeDiskId, makeSnapshotId } from '../../../src/record/ids.ts';
import type { EncryptionRecord, SnapshotRecord } from '../../../src/record/resource.ts';
import { scope, testClock } from '../kms/support.ts';

export { scope, testClock } from '../kms/support.ts';

export const keyId = 'key-abcdefghijklmnopqrst';

export const openTestMetadata = (
  store: KeyValueStore = openMemoryStore(),
  shardCount: number | null = 2,
): Promise<Metadata> => openMetadata({ store, shardCount, clock: testClock(), randomBytes });

export const encryptionOf = (lineageId: string, under = keyId): EncryptionRecord => ({
  keyId: under,
  wrappedKey: new TextEncoder().encode(lineageId),
  lineageId,
});

/** A disk that was made empty, or from a source whose shard and encryption it is given. */
export function newDisk(change: Partial<NewDisk> = {}): NewDisk {
  return {
    ...scope,
    diskId: makeDiskId(randomBytes),
    name: '',
    sizeBytes: 2 ** 30,
    status: 'Available',
    encryption: null,
    sourceSnapshotId: null,
    shardIndex: null,
    createdAt: 1,
    ...change,
  };
}

export function newSnapshot(
  disk: { diskId: string; shardIndex: number | null; encryption: EncryptionRecord | null },
  change: Partial<SnapshotRecord> = {},
): SnapshotRecord {
  return {
    ...scope,
    snapshotId: makeSnapshotId(randomBytes),
    name: '',
    sourceDiskId: disk.diskId,
    sizeBytes: 2 ** 30,
    status: 'accomplished',
    encryption: disk.encryption,
    shardIndex: disk.shardIndex ?? 0,
    createdAt: 2,
    ...change,
  };
}
