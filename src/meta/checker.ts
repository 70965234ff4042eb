/**
 * Checks of the metadata as it is stored. Each rule is a function that finds sentences.
 *
 * 1. A disk or snapshot has a lineage record of its kind, not deleted, under its key; a lineage
 *    record not deleted has its disk or snapshot.
 * 2. A source exists, deleted or not, and is older: there is no dangling edge and no cycle.
 * 3. A deleted one is kept only while something made from it is left.
 * 4. Whatever is encrypted has a wrapped data key that names its key; what was made from it shares
 *    that data key and its shard, and nothing encrypted was made from plain or the other way round.
 * 5. Every membership of a group is that of a record, every record's memberships are there, and
 *    counts count them.
 * 6. A shard index is below the number of shards.
 *
 * Damage makes a sentence, never an exception: a check that stops at the first bad record hides the
 * others. Memory: one entry per group.
 */
import { PlaneError } from '../base/errors.ts';
import { type KeyValueReader, scan } from '../kv/key-value-store.ts';
import { decodeRecord } from '../record/codec.ts';
import type { LineageRecord } from '../record/lineage.ts';
import type { DiskRecord, SnapshotRecord } from '../record/resource.ts';
import type { RecordKind, Records } from '../record/shapes.ts';
import {
  COUNT_PREFIX,
  DISK_PREFIX,
  groups,
  groupsOfDisk,
  groupsOfSnapshot,
  LINEAGE_PREFIX,
  LIST_PREFIX,
  memberId,
  readDisk,
  readIdentity,
  readLineage,
  readSnapshot,
  SNAPSHOT_PREFIX,
} from './tables.ts';

/** What a disk and a snapshot have in common. */
type Resource = DiskRecord | SnapshotRecord;

/** @returns one sentence for each broken rule, naming the record; empty if all hold */
export function metadataProblems(reader: KeyValueReader): string[] {
  const check = new Check(reader);
  check.resources();
  check.lineages();
  check.memberships();
  return check.problems;
}

class Check {
  readonly problems: string[] = [];
  readonly #reader: KeyValueReader;
  readonly #shardCount: number;

  constructor(reader: KeyValueReader) {
    this.#reader = reader;
    const identity = this.#attempt('identity', () => readIdentity(reader));
    if (identity === null) this.problems.push('the identity record is missing');
    this.#shardCount = identity?.shardCount ?? 0;
  }

  resources(): void {
    this.#each(DISK_PREFIX, 'disk', (disk) => this.#resource(disk.diskId, 'disk', disk));
    this.#each(SNAPSHOT_PREFIX, 'snapshot', (snapshot) =>
      this.#resource(snapshot.snapshotId, 'snapshot', snapshot),
    );
  }

  lineages(): void {
    this.#each(LINEAGE_PREFIX, 'lineage', (lineage) => {
      if (lineage.deletedAt === null) this.#living(lineage);
      else this.#deleted(lineage);
      if (lineage.sourceId !== null) this.#edge(lineage, lineage.sourceId);
    });
  }

  memberships(): void {
    const counted = new Map<string, number>();
    scan(this.#reader, LIST_PREFIX, (key) => {
      const [group, sequence] = groupAndSequence(key);
      counted.set(group, (counted.get(group) ?? 0) + 1);
      this.#attempt(key, () => this.#membership(key, group, sequence));
    });
    this.#each(COUNT_PREFIX, 'counter', ({ count }, key) => {
      const group = key.slice(COUNT_PREFIX.length);
      const members = counted.get(group) ?? 0;
      counted.delete(group);
      if (count !== members) this.#say(group, `counts ${count} members and has ${members}`);
    });
    for (const [group, members] of counted) this.#say(group, `has ${members} members and no count`);
  }

  #resource(id: string, kind: 'disk' | 'snapshot', resource: Resource): void {
    const keyId = resource.encryption?.keyId ?? null;
    if (resource.shardIndex >= this.#shardCount) {
      this.#say(id, `is on shard ${resource.shardIndex} of ${this.#shardCount}`);
    }
    if (resource.encryption?.wrappedKey.byteLength === 0) {
      this.#say(id, 'is encrypted and has no wrapped data key');
    }
    const lineage = readLineage(this.#reader, id);
    if (lineage === null) {
      this.#say(id, 'has no lineage record');
      return;
    }
    if (lineage.deletedAt !== null) this.#say(id, 'exists and its lineage says it is deleted');
    if (lineage.kind !== kind) this.#say(id, `is a ${kind} and its lineage says ${lineage.kind}`);
    if (lineage.keyId !== keyId) this.#say(id, `is under ${keyId}, its lineage ${lineage.keyId}`);
    const expected = 'diskId' in resource ? groupsOfDisk(resource) : groupsOfSnapshot(resource);
    for (const group of expected) this.#requireMembership(lineage, group);
    const sourceId = 'diskId' in resource ? resource.sourceSnapshotId : resource.sourceDiskId;
    // A clone names no snapshot: its source is in its lineage alone.
    if (sourceId !== null && lineage.sourceId !== sourceId) {
      this.#say(id, `was made from ${sourceId}, its lineage says ${lineage.sourceId}`);
    }
    if (lineage.sourceId !== null) this.#sameAsSource(id, resource, lineage.sourceId);
  }

  #sameAsSource(id: string, resource: Resource, sourceId: string): void {
    const source = readDisk(this.#reader, sourceId) ?? readSnapshot(this.#reader, sourceId);
    // Deleted: its lineage record says under which key it was, see #edge.
    if (source === null) return;
    if (source.shardIndex !== resource.shardIndex) {
      this.#say(id, `is on shard ${resource.shardIndex}, its source on ${source.shardIndex}`);
    }
    const [mine, theirs] = [resource.encryption, source.encryption];
    if (mine === null || theirs === null) return;
    const isSameKey = Buffer.compare(mine.wrappedKey, theirs.wrappedKey) === 0;
    if (!isSameKey || mine.lineageId !== theirs.lineageId) {
      this.#say(id, `has not the data key of its source ${sourceId}`);
    }
  }

  #living(lineage: LineageRecord): void {
    const { id, kind } = lineage;
    const resource = kind === 'disk' ? readDisk(this.#reader, id) : readSnapshot(this.#reader, id);
    if (resource === null) this.#say(id, `has a lineage record and is no ${kind}`);
  }

  #deleted(lineage: LineageRecord): void {
    const prefix = `${LIST_PREFIX}${groups.madeFrom(lineage.id)}/`;
    if (this.#reader.range({ prefix, limit: 1 }).length === 0) {
      this.#say(lineage.id, 'is deleted, nothing made from it is left, and its lineage is kept');
    }
  }

  #edge(lineage: LineageRecord, sourceId: string): void {
    this.#requireMembership(lineage, groups.madeFrom(sourceId));
    const source = readLineage(this.#reader, sourceId);
    if (source === null) {
      this.#say(lineage.id, `was made from ${sourceId}, of which there is no record`);
      return;
    }
    if (source.sequence >= lineage.sequence) {
      this.#say(lineage.id, `was made from ${sourceId}, which is younger`);
    }
    if (source.keyId !== lineage.keyId) {
      this.#say(lineage.id, `is under ${lineage.keyId}, its source under ${source.keyId}`);
    }
  }

  #membership(key: string, group: string, sequence: number): void {
    const lineage = readLineage(this.#reader, memberId(key));
    if (lineage?.sequence !== sequence) {
      this.#say(key, 'is a membership of what does not exist');
      return;
    }
    const expected =
      lineage.sourceId !== null && group === groups.madeFrom(lineage.sourceId)
        ? [group]
        : this.#groupsOf(lineage);
    if (!expected.includes(group)) this.#say(key, 'is a membership its record does not have');
  }

  #groupsOf({ id }: LineageRecord): string[] {
    const disk = readDisk(this.#reader, id);
    if (disk !== null) return groupsOfDisk(disk);
    const snapshot = readSnapshot(this.#reader, id);
    return snapshot === null ? [] : groupsOfSnapshot(snapshot);
  }

  #requireMembership({ id, sequence }: LineageRecord, group: string): void {
    const prefix = `${LIST_PREFIX}${group}/${String(sequence).padStart(16, '0')}/${id}`;
    if (this.#reader.range({ prefix, limit: 1 }).length === 0) {
      this.#say(id, `is missing in the group ${group}`);
    }
  }

  #each<K extends RecordKind>(
    prefix: string,
    kind: K,
    visit: (record: Records[K], key: string) => void,
  ): void {
    scan(this.#reader, prefix, (key, bytes) => {
      this.#attempt(key, () => visit(decodeRecord(kind, bytes), key));
    });
  }

  /** Turns the error of a damaged record into a sentence. */
  #attempt<T>(name: string, run: () => T): T | null {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof PlaneError)) throw error;
      this.#say(name, error.message);
      return null;
    }
  }

  #say(name: string, problem: string): void {
    this.problems.push(`${name} ${problem}`);
  }
}

function groupAndSequence(key: string): [string, number] {
  const parts = key.slice(LIST_PREFIX.length).split('/');
  return [parts.slice(0, -2).join('/'), Number(parts.at(-2))];
}
