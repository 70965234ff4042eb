import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import type { KeyValueStore } from '../../../src/kv/key-value-store.ts';
import { scan } from '../../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';
import { type Metadata, metadataOver, openMetadata } from '../../../src/meta/metadata.ts';
import { disk, diskId, encryption, keyId, snapshot, snapshotId } from './fixtures.ts';

const [d1, d2, d3, d4] = [1, 2, 3, 4].map(diskId) as [string, string, string, string];
const [s1, s2] = [1, 2].map(snapshotId) as [string, string];
const idsOf = (entries: readonly { readonly id: string }[]): string[] =>
  entries.map((entry) => entry.id);

describe.each(['memory', 'lmdb'])('metadata over %s', (kind) => {
  let directory: string;
  let metadata: Metadata;
  const open = () => openMetadata(kind === 'memory' ? null : join(directory, 'metadata'));
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sealdisk-meta-'));
    metadata = await open();
  });
  afterEach(async () => {
    expect(metadata.check()).toEqual([]);
    await metadata.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('a record reads back as it was put, and a later one takes its place', async () => {
    const first = disk(d1, { encryption: encryption(1, d1), name: 'Ü' });
    await metadata.commit({
      putDisks: [first],
      putSnapshots: [snapshot(s1, d1, { encryption: first.encryption })],
    });
    expect(metadata.getDisk(d1)).toEqual(first);
    expect(metadata.getSnapshot(s1)?.sourceDiskId).toBe(d1);
    const later = { ...first, status: 'In_use', encryption: encryption(2, d1) } as const;
    await metadata.commit({ putDisks: [later] });
    expect(metadata.getDisk(d1)).toEqual(later);
    expect(metadata.listDisks({}, 0, 10)).toEqual({ total: 1, records: [later] });
    expect(metadata.listDisks({ keyId: keyId(1) }, 0, 10)).toEqual({ total: 0, records: [] });
    expect(metadata.listDisks({ keyId: keyId(2) }, 0, 10).records).toEqual([later]);
    expect(metadata.disksWithStatus(['In_use', 'Creating'])).toEqual([later]);
    expect(metadata.disksWithStatus(['Available'])).toEqual([]);
  });
});
