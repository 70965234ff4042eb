import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { type Metadata, type MetadataChange, openMetadata } from '../../../src/meta/metadata.ts';
import type { DiskRecord, EncryptionRecord } from '../../../src/record/resource.ts';
import { disk, diskId, encryption, keyId, lineageOf, snapshot, snapshotId } from './fixtures.ts';
import { MetadataModel } from './model.ts';

const CHANGES = 2_000;
const KEYS = 4;
const SHARDS = 3;

/** Draws changes that fit the model, applies them to it, and says what each must answer. */
class RandomChanges {
  readonly model = new MetadataModel();
  readonly #prng;
  #lastNumber = 0;

  constructor(seed: number) {
    this.#prng = createPrng(seed);
  }

  below(limit: number): number {
    return this.#prng.nextBelow(limit);
  }

  pick<T>(from: Iterable<T>): T | undefined {
    const all = [...from];
    return all[this.below(Math.max(all.length, 1))];
  }

  next(): { readonly change: MetadataChange; readonly refusal: string | null } {
    // Towards a hundred resources: above, what is removed outnumbers what is made.
    const isCrowded = this.model.disks.size + this.model.snapshots.size > 100;
    const choice = this.below(isCrowded ? 14 : 9);
    if (choice === 0) return this.#makeRoots();
    if (choice <= 3) return this.#snapshotDisk() ?? this.#makeRoots();
    if (choice === 4) return this.#restore() ?? this.#makeRoots();
    if (choice === 5) return this.#clone() ?? this.#makeRoots();
    if (choice === 6) return this.#alter() ?? this.#makeRoots();
    if (choice === 7) return this.#makeFromNothing();
    return this.#remove();
  }

  #number(): number {
    this.#lastNumber++;
    // Ids in no order of their making, as random ones are.
    return (this.#lastNumber * 7_919) % 1_000_003;
  }

  #makeRoots(): { change: MetadataChange; refusal: null } {
    const putDisks = Array.from({ length: 1 + this.below(3) }, () => {
      const id = diskId(this.#number());
      const key = this.below(KEYS + 1);
      return disk(id, {
        shardIndex: this.below(SHARDS),
        status: this.pick(['Available', 'Creating'] as const)!,
        encryption: key === KEYS ? null : encryption(key, id),
      });
    });
    for (const record of putDisks) this.model.putDisk(record);
    return { change: { putDisks }, refusal: null };
  }

  #snapshotDisk(): { change: MetadataChange; refusal: null } | null {
    const source = this.pick(this.model.disks.values());
    if (source === undefined) return null;
    const { shardIndex } = source;
    const protection = this.#inherited(source.encryption);
    const id = snapshotId(this.#number());
    const record = snapshot(id, source.diskId, { shardIndex, encryption: protection });
    this.model.putSnapshot(record);
    return { change: { putSnapshots: [record] }, refusal: null };
  }

  #restore(): { change: MetadataChange; refusal: null } | null {
    const source = this.pick(this.model.snapshots.values());
    if (source === undefined) return null;
    const record = disk(diskId(this.#number()), {
      shardIndex: source.shardIndex,
      encryption: this.#inherited(source.encryption),
      sourceSnapshotId: source.snapshotId,
    });
    this.model.putDisk(record);
    const edge = { childId: record.diskId, parentId: source.snapshotId };
    // The edge the record speaks of may be given as well.
    const putEdges = this.below(2) === 0 ? [edge] : [];
    return { change: { putDisks: [record], putEdges }, refusal: null };
  }

  #clone(): { change: MetadataChange; refusal: null } | null {
    const source = this.pick(this.model.disks.values());
    if (source === undefined) return null;
    const { diskId: parentId, shardIndex } = source;
    const id = diskId(this.#number());
    const record = disk(id, { shardIndex, encryption: this.#inherited(source.encryption) });
    this.model.putDisk(record, parentId);
    const putEdges = [{ childId: record.diskId, parentId }];
    return { change: { putDisks: [record], putEdges }, refusal: null };
  }

  #inherited(source: EncryptionRecord | null): EncryptionRecord | null {
    if (source === null) return null;
    return this.below(3) === 0 ? encryption(this.below(KEYS), source.lineageId) : source;
  }

  #alter(): { change: MetadataChange; refusal: null } | null {
    const former = this.pick(this.model.disks.values());
    if (former === undefined) return null;
    const changed = this.#inherited(former.encryption);
    const record: DiskRecord = {
      ...former,
      status: this.pick(['Available', 'In_use', 'Deleting'] as const)!,
      sizeBytes: former.sizeBytes * 2,
      encryption: changed,
      layers: [{ tree: former.diskId, encryption: changed }],
    };
    // The model keeps a clone's parent by itself.
    this.model.putDisk(record);
    return { change: { putDisks: [record] }, refusal: null };
  }

  #makeFromNothing(): { change: MetadataChange; refusal: string } {
    const gone = this.model.everSeen.filter(
      (id) => id.startsWith('s-') && !this.model.snapshots.has(id),
    );
    const sourceSnapshotId = this.pick(gone) ?? snapshotId(this.#number());
    const putDisks = [disk(diskId(this.#number()), { sourceSnapshotId })];
    const removeDisks = [...this.model.disks.keys()].slice(0, 3);
    return { change: { putDisks, removeDisks }, refusal: 'InvalidSnapshotId.NotFound' };
  }

  #remove(): { change: MetadataChange; refusal: null } {
    const removeDisks: string[] = [];
    const removeSnapshots: string[] = [];
    for (let count = 1 + this.below(3); count > 0; count--) {
      const id = this.pick([...this.model.disks.keys(), ...this.model.snapshots.keys()]);
      if (id === undefined) continue;
      (id.startsWith('d-') ? removeDisks : removeSnapshots).push(id);
      this.model.disks.delete(id);
      this.model.snapshots.delete(id);
    }
    return { change: { removeDisks, removeSnapshots }, refusal: null };
  }
}

/** Every answer for `sample` ids drawn of each kind. */
function expectEqual(metadata: Metadata, random: RandomChanges, sample: number): void {
  const { model } = random;
  expect(metadata.check()).toEqual([]);
  const keys = Array.from({ length: KEYS }, (_, index) => keyId(index));
  for (const key of [undefined, ...someOf(random, keys, sample)]) {
    const byKey = key === undefined ? {} : { keyId: key };
    for (const source of [undefined, ...someOf(random, model.snapshots.keys(), sample)]) {
      const filter = source === undefined ? byKey : { ...byKey, sourceSnapshotId: source };
      expectPages(random, metadata.listDisks.bind(metadata, filter), model.listDisks(filter));
    }
    for (const source of [undefined, ...someOf(random, model.disks.keys(), sample)]) {
      const filter = source === undefined ? byKey : { ...byKey, diskId: source };
      const list = metadata.listSnapshots.bind(metadata, filter);
      expectPages(random, list, model.listSnapshots(filter));
    }
  }
  for (let shardIndex = 0; shardIndex < SHARDS; shardIndex++) {
    expect(metadata.treeNamesOfShard(shardIndex)).toEqual(model.treeNamesOfShard(shardIndex));
  }
  const busy = model.listDisks({}).filter((each) => each.status !== 'Available');
  expect(metadata.disksWithStatus(['In_use', 'Deleting', 'Creating'])).toEqual(busy);
  const living = [...model.disks.keys(), ...model.snapshots.keys()];
  for (const ids of [living, model.everSeen, keys]) {
    for (const id of someOf(random, ids, 5 * sample)) {
      expect(lineageOf(metadata, id, 1 + random.below(20))).toEqual(model.lineage(id));
    }
  }
}

function someOf(random: RandomChanges, ids: Iterable<string>, count: number): string[] {
  const all = [...ids];
  if (all.length <= count) return all;
  return Array.from({ length: count }, () => random.pick(all)!);
}

/** All records in one page, and a page drawn at random. */
function expectPages<T>(
  random: RandomChanges,
  list: (skip: number, limit: number) => { readonly total: number; readonly records: T[] },
  expected: readonly T[],
): void {
  const total = expected.length;
  expect(list(0, total + 1)).toEqual({ total, records: expected });
  const skip = random.below(total + 3);
  const limit = 1 + random.below(total + 1);
  expect(list(skip, limit)).toEqual({ total, records: expected.slice(skip, skip + limit) });
}

describe.each(['memory', 'lmdb'])('metadata over %s', (kind) => {
  test(`after each of ${CHANGES} random changes is what plain maps say it is`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sealdisk-meta-'));
    let metadata = await openMetadata(kind === 'memory' ? null : directory);
    try {
      const random = new RandomChanges(20_260_101);
      let sequence = 0;
      while (sequence < CHANGES) {
        // Several commits in flight at once: they take effect in the order of the calls.
        const outcomes = Array.from({ length: 1 + random.below(80) }, () => {
          const { change, refusal } = random.next();
          sequence++;
          return { refusal, committed: metadata.commit(change) };
        });
        const settled = await Promise.allSettled(outcomes.map((outcome) => outcome.committed));
        expect(
          settled.map((each) => (each.status === 'rejected' ? each.reason.code : null)),
        ).toEqual(outcomes.map((outcome) => outcome.refusal));
        expectEqual(metadata, random, 1);
      }
      expectEqual(metadata, random, 4);
      if (kind === 'memory') return;
      await metadata.close();
      metadata = await openMetadata(directory);
      expectEqual(metadata, random, 4);
    } finally {
      await metadata.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
