/** The audit log in the metadata: in the transaction it tells of, without a gap, bounded. */
import { expect, test } from 'vitest';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';
import { type AuditEntry, metadataOver } from '../../../src/meta/metadata.ts';
import { disk, diskId, snapshotId } from './fixtures.ts';

const entry = (action: string): AuditEntry => ({
  at: 1,
  accountId: '1000000000000001',
  regionId: 'cn-hangzhou',
  principal: 'root',
  action,
  resourceIds: [diskId(1)],
  keyId: '',
  keyVersion: 0,
  outcome: 'OK',
  reason: '',
});

const usage = (calls: number) => ({
  accountId: '1000000000000001',
  regionId: 'cn-hangzhou',
  month: '2026-01',
  keyId: 'key-00000000000000000001',
  operation: 'CreateDisk',
  calls,
});

test('entries of commits in flight have no gap, and a refused commit leaves none', async () => {
  const metadata = metadataOver(openMemoryStore());
  const orphan = disk(diskId(1), { sourceSnapshotId: snapshotId(1) });
  const settled = await Promise.allSettled([
    metadata.commit({ putDisks: [disk(diskId(2))], appendAudit: [entry('A'), entry('B')] }),
    metadata.commit({ putDisks: [orphan], appendAudit: [entry('refused')], addUsage: [usage(1)] }),
    metadata.commit({ appendAudit: [entry('C')], addUsage: [usage(1), usage(2)] }),
  ]);
  expect(settled.map((each) => each.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const { records } = metadata.listDocuments('audit', null, 0, 10);
  expect(records.map((each) => [each.sequence, each.action])).toEqual([
    [1, 'A'],
    [2, 'B'],
    [3, 'C'],
  ]);
  const counted = metadata.listDocuments('usage', null, 0, 10).records;
  expect(counted).toEqual([usage(3)]);
  expect(metadata.check()).toEqual([]);
});

test('of more entries than are kept the oldest go, with what lists them', async () => {
  const store = openMemoryStore();
  const metadata = metadataOver(store, { auditEntriesMax: 10 });
  for (let index = 0; index < 25; index++) {
    await metadata.commit({ appendAudit: [entry(`A${index}`)] });
  }
  const all = metadata.listDocuments('audit', null, 0, 100);
  expect(all.total).toBe(10);
  expect(all.records.map((each) => each.sequence)).toEqual([
    16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
  ]);
  expect(metadata.listDocuments('audit', `resource/${diskId(1)}`, 0, 100).total).toBe(10);
  expect(metadata.check()).toEqual([]);
  // A lowered limit is reached by and by: an append drops a few.
  const lowered = metadataOver(store, { auditEntriesMax: 2 });
  for (let index = 0; index < 8; index++) await lowered.commit({ appendAudit: [entry('B')] });
  expect(lowered.listDocuments('audit', null, 0, 100).total).toBe(2);
  expect(lowered.check()).toEqual([]);
});

test('a missing entry, and a log cut off at its end, are found', async () => {
  const store = openMemoryStore();
  const metadata = metadataOver(store);
  await metadata.commit({ appendAudit: ['A', 'B', 'C'].map(entry) });
  const key = (sequence: number) => String(sequence).padStart(16, '0');
  await metadata.commit({ removeDocuments: [{ kind: 'audit', key: key(2) }] });
  expect(metadata.check()).toEqual(['audit/3: the entry before it is missing']);
  await metadata.commit({ removeDocuments: [{ kind: 'audit', key: key(3) }] });
  expect(metadata.check()).toEqual(['audit: the last entry is 1, expected 3']);
});
