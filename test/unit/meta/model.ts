/**
 * What the metadata service is compared with: plain maps, and every answer computed anew from them.
 *
 * Nothing is ever forgotten here: edges and `lastKeys` keep what was removed, and what of it is
 * still to be seen is found by looking for living descendants.
 */
import type { DiskFilter, SnapshotFilter } from '../../../src/meta/metadata.ts';
import type { DiskRecord, SnapshotRecord } from '../../../src/record/resource.ts';
import type { LineageLine } from './fixtures.ts';

export class MetadataModel {
  readonly disks = new Map<string, DiskRecord>();
  readonly snapshots = new Map<string, SnapshotRecord>();
  readonly #parents = new Map<string, string>();
  readonly #children = new Map<string, Set<string>>();
  readonly #lastKeys = new Map<string, string>();

  putDisk(record: DiskRecord, cloneOf?: string): void {
    this.disks.set(record.diskId, record);
    this.#lastKeys.set(record.diskId, record.encryption?.keyId ?? '');
    const parent = cloneOf ?? record.sourceSnapshotId;
    if (parent !== null) this.#link(record.diskId, parent);
  }

  putSnapshot(record: SnapshotRecord): void {
    this.snapshots.set(record.snapshotId, record);
    this.#lastKeys.set(record.snapshotId, record.encryption?.keyId ?? '');
    this.#link(record.snapshotId, record.sourceDiskId);
  }

  #link(child: string, parent: string): void {
    this.#parents.set(child, parent);
    this.#children.set(parent, (this.#children.get(parent) ?? new Set()).add(child));
  }

  get everSeen(): string[] {
    return [...this.#lastKeys.keys()];
  }

  listDisks({ keyId, sourceSnapshotId }: DiskFilter): DiskRecord[] {
    return [...this.disks.values()]
      .filter((disk) => keyId === undefined || disk.encryption?.keyId === keyId)
      .filter(
        (disk) => sourceSnapshotId === undefined || disk.sourceSnapshotId === sourceSnapshotId,
      )
      .sort((a, b) => (a.diskId < b.diskId ? -1 : 1));
  }

  listSnapshots({ keyId, diskId }: SnapshotFilter): SnapshotRecord[] {
    return [...this.snapshots.values()]
      .filter((snapshot) => keyId === undefined || snapshot.encryption?.keyId === keyId)
      .filter((snapshot) => diskId === undefined || snapshot.sourceDiskId === diskId)
      .sort((a, b) => (a.snapshotId < b.snapshotId ? -1 : 1));
  }

  treeNamesOfShard(shardIndex: number): string[] {
    const all = [...this.disks, ...this.snapshots];
    return all.flatMap(([id, record]) => (record.shardIndex === shardIndex ? [id] : [])).sort();
  }

  lineage(id: string): LineageLine[] {
    if (id.startsWith('key-')) {
      const ids = [...this.disks, ...this.snapshots]
        .filter(([, record]) => record.encryption?.keyId === id)
        .map(([protectedId]) => protectedId)
        .sort();
      return ids.map((each) => this.#entry(each));
    }
    if (!this.#isVisible(id)) return [];
    const ids = [id];
    for (let at = this.#parents.get(id); at !== undefined; at = this.#parents.get(at)) ids.push(at);
    ids.push(...this.#below(id));
    return ids.map((each) => this.#entry(each));
  }

  #below(id: string): string[] {
    return this.#childrenOf(id).flatMap((child) => [child, ...this.#below(child)]);
  }

  #childrenOf(id: string): string[] {
    return [...(this.#children.get(id) ?? [])].filter((child) => this.#isVisible(child)).sort();
  }

  #isVisible(id: string): boolean {
    if (this.disks.has(id) || this.snapshots.has(id)) return true;
    return [...(this.#children.get(id) ?? [])].some((child) => this.#isVisible(child));
  }

  #entry(id: string): LineageLine {
    const parent = this.#parents.get(id);
    return {
      id,
      kind: id.startsWith('d-') ? 'disk' : 'snapshot',
      from: parent === undefined ? [] : [parent],
      keyId: this.#lastKeys.get(id)!,
    };
  }
}
