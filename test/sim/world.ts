/**
 * The model of a whole plane: its disks and snapshots, what verbs under way may make of them, and
 * whether what is found after a crash is one of the worlds that are possible.
 *
 * A verb is all or nothing. While it is under way, or after it failed in a way that tells nothing,
 * its effect is possible: found at the next opening it is believed, whole, and otherwise forgotten.
 */
import type { Metadata } from '../../src/meta/metadata.ts';
import type { DiskRecord, SnapshotRecord } from '../../src/record/resource.ts';
import type { DiskIo } from '../../src/router/disk-io.ts';
import type { SnapshotIo } from '../../src/router/snapshot-io.ts';
import { type Capture, type Content, type Ending, Volume } from './model.ts';

const LIST_MAX = 1000;

/** Of a disk, or a snapshot that is open for reading. */
export interface Attachment {
  readonly disk: DiskIo | SnapshotIo;
  isClosing: boolean;
}

/** A disk or snapshot the world knows. */
export interface Resource {
  readonly id: string;
  readonly isDisk: boolean;
  readonly volume: Volume;
  readonly isEncrypted: boolean;
  /** Of a snapshot: the disk it was taken of. */
  readonly sourceDiskId: string | null;
  attachment: Attachment | null;
  /** A verb is at work on it. */
  isBusy: boolean;
  /** A verb failed half way: no other is tried before the plane is opened again. */
  isStuck: boolean;
  wasAttached: boolean;
}

/** What a verb may do, and how to know it by what is found. */
export type Effect =
  | {
      readonly kind: 'make';
      readonly name: string;
      readonly isEncrypted: boolean;
      readonly sourceDiskId: string | null;
      readonly states: () => Content[];
    }
  | { readonly kind: 'remove'; readonly id: string }
  | { readonly kind: 'reset'; readonly id: string; readonly states: () => Content[] };

export class World {
  readonly resources = new Map<string, Resource>();
  /** Effects of verbs under way. */
  readonly pending = new Set<Effect>();
  /** A verb failed half way since the plane was opened. */
  hasLeftovers = false;
  /** Effects of verbs that failed without telling whether they were done. */
  #unknown: Effect[] = [];

  disks(): Resource[] {
    return [...this.resources.values()].filter(({ isDisk }) => isDisk);
  }

  snapshots(): Resource[] {
    return [...this.resources.values()].filter(({ isDisk }) => !isDisk);
  }

  /** Verbs have failed half way on all there is, and nothing is attached: nobody has work left. */
  get isStuck(): boolean {
    const all = [...this.resources.values()];
    return all.length > 0 && all.every(({ isStuck, attachment }) => isStuck && attachment === null);
  }

  add(id: string, made: { isEncrypted: boolean; sourceDiskId: string | null }, states: Content[]) {
    const resource: Resource = {
      id,
      isDisk: id.startsWith('d-'),
      volume: new Volume(states),
      isEncrypted: made.isEncrypted,
      sourceDiskId: made.sourceDiskId,
      attachment: null,
      isBusy: false,
      isStuck: false,
      wasAttached: false,
    };
    this.resources.set(id, resource);
    return resource;
  }

  /** What a snapshot of a disk may be, whenever it is asked. */
  captureOf(resource: Resource): () => Content[] {
    const capture: Capture = resource.volume.capture();
    let states: Content[] | null = null;
    return () => {
      states ??= resource.volume.finish(capture);
      return states.map((state) => state.copy());
    };
  }

  /** A verb failed, and may have done it all the same. */
  unknown(effect: Effect): void {
    if (effect.kind === 'make') effect.states();
    if (effect.kind === 'reset') this.#maybeReset(effect.id, effect.states());
    else this.#unknown.push(effect);
  }

  /** The process has ended, everything in it cut off. */
  crash(how: Ending): void {
    for (const effect of this.pending) this.unknown(effect);
    this.pending.clear();
    for (const resource of this.resources.values()) {
      resource.volume.crash(how);
      resource.attachment = null;
      resource.isBusy = false;
      resource.isStuck = false;
    }
  }

  /** What there is is on stable storage, whatever it is. */
  settle(): void {
    for (const { volume } of this.resources.values()) volume.flushed();
  }

  /** What was not flushed may have been damaged as stores were opened. */
  loosen(): void {
    for (const { volume } of this.resources.values()) volume.loosen();
  }

  /** Compares with what a plane that was opened has. @returns what is wrong */
  adopt(metadata: Metadata): string[] {
    const problems: string[] = [];
    const records = new Map<string, DiskRecord | SnapshotRecord>();
    for (const disk of metadata.listDisks({}, 0, LIST_MAX).records) {
      records.set(disk.diskId, disk);
      if (disk.status !== 'Available') problems.push(`${disk.diskId} is ${disk.status}`);
    }
    for (const snapshot of metadata.listSnapshots({}, 0, LIST_MAX).records) {
      records.set(snapshot.snapshotId, snapshot);
    }
    for (const id of [...this.resources.keys()]) {
      if (records.has(id)) continue;
      const isRemoved = this.#unknown.some((each) => each.kind === 'remove' && each.id === id);
      if (!isRemoved) problems.push(`${id} is lost`);
      this.resources.delete(id);
    }
    for (const [id, record] of records) {
      if (!this.resources.has(id) && !this.#takeMade(id, record.name)) {
        problems.push(`${id} "${record.name}" was never made, or refused`);
        continue;
      }
      const { isEncrypted } = this.resources.get(id)!;
      if (isEncrypted !== (record.encryption !== null)) {
        problems.push(`${id} is ${isEncrypted ? 'not ' : ''}encrypted`);
      }
    }
    this.#unknown = [];
    this.hasLeftovers = false;
    return problems;
  }

  #takeMade(id: string, name: string): boolean {
    for (const effect of this.#unknown) {
      if (effect.kind !== 'make' || effect.name !== name) continue;
      this.add(id, effect, effect.states());
      return true;
    }
    return false;
  }

  #maybeReset(id: string, states: Content[]): void {
    const resource = this.resources.get(id);
    resource?.volume.states.push(...states);
  }
}
