/**
 * A volume: the data-plane face of an attached disk. Every request to a disk's sectors passes here
 * (the asserting choke point).
 *
 * A request's bytes lie in the staging area as whole sectors (shard-channel.ts, rule 4). A write of
 * parts of sectors first completes its edges there from what the disk holds, so that what follows
 * is always whole sectors; no lock is needed, because nothing else runs on this thread.
 *
 * A volume is a stack of layers (layer.ts), top first, mostly of one. With several:
 *   read   each sector from the first layer that has it, under that layer's key
 *   write  on top; what lower layers have there is hidden from then on, and stays
 *   zero   discards, the lowest layer first and the top last
 *
 * 1. Plaintext is only ever in the staging area, in `edge` and in the scratch memory of
 *    reencryption.ts; the last two are overwritten after use.
 * 2. Only the top layer gains sectors; lower ones lose them, by zero and by re-encryption.
 * 3. A volume that is open for reading (a snapshot's) is asked for no change.
 * 4. Bytes that were overwritten or zeroed never come back, wherever the thread is killed or the
 *    power fails, and what was flushed is never lost. A write changes one tree. If it is lost, what
 *    it would have hidden is still there, because a write does not discard below: a power cut may
 *    take an append and leave the discard after it, and then both old and new would be gone. Of a
 *    zero, the log has a prefix: discards of the lowest layers. What they held was hidden by what
 *    is above and still there, or is what was to be zeroed.
 *
 * **Thread:** shard.
 */
import type { MemoryRegion } from '../base/bytes.ts';
import { allocateRegion } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { SECTOR_BYTES, sectorAt } from '../base/units.ts';
import { TREE_SECTORS_MAX } from '../limits.ts';
import type { ReencryptProgress } from '../record/shard-message.ts';
import type { ShardStore } from '../segment/shard-store.ts';
import type { Layer } from './layer.ts';
import { countMapped, readLayers } from './layers.ts';
import { Reencryption } from './reencryption.ts';

/** One sector of plaintext, for edges. Shared by all volumes of the thread: nothing awaits. */
const edge: MemoryRegion = allocateRegion(SECTOR_BYTES);

export class Volume {
  readonly diskId: string;
  sizeBytes: number;
  private readonly isReadOnly: boolean;
  private readonly store: ShardStore;
  /** Top first. */
  private layers: readonly Layer[];
  private top: Layer;
  /** Null until the first step since the layers were last changed. */
  private reencryption: Reencryption | null = null;

  /** @param layers top first, at least one; moved: closed by close() */
  constructor(
    store: ShardStore,
    diskId: string,
    sizeBytes: number,
    layers: readonly Layer[],
    isReadOnly = false,
  ) {
    invariant(layers.length > 0, 'a volume has a layer');
    this.store = store;
    this.diskId = diskId;
    this.sizeBytes = sizeBytes;
    this.isReadOnly = isReadOnly;
    this.layers = layers;
    this.top = layers[0]!;
  }

  /** Data keys it holds. */
  get keyCount(): number {
    return this.layers.filter((layer) => layer.isEncrypted).length;
  }

  /** Decrypts the sectors that hold [offsetBytes, +lengthBytes) into the staging area. */
  read(offsetBytes: number, lengthBytes: number, staging: MemoryRegion, stagingAt: number): void {
    this.checkRange(offsetBytes, lengthBytes);
    const first = sectorAt(offsetBytes);
    const count = sectorAt(offsetBytes + lengthBytes - 1) - first + 1;
    this.readSectors(first, count, staging, stagingAt);
  }

  /** Encrypts and stores [offsetBytes, +lengthBytes) from the staging area. */
  write(offsetBytes: number, lengthBytes: number, staging: MemoryRegion, stagingAt: number): void {
    this.checkChange(offsetBytes, lengthBytes);
    const first = sectorAt(offsetBytes);
    const last = sectorAt(offsetBytes + lengthBytes - 1);
    const headBytes = offsetBytes - first * SECTOR_BYTES;
    const tailBytes = offsetBytes + lengthBytes - last * SECTOR_BYTES;
    const lastAt = stagingAt + (last - first) * SECTOR_BYTES;
    if (headBytes > 0 || (first === last && tailBytes < SECTOR_BYTES)) {
      this.readSectors(first, 1, edge, 0);
      staging.bytes.set(edge.bytes.subarray(0, headBytes), stagingAt);
      if (first === last) staging.bytes.set(edge.bytes.subarray(tailBytes), lastAt + tailBytes);
    }
    if (first !== last && tailBytes < SECTOR_BYTES) {
      this.readSectors(last, 1, edge, 0);
      staging.bytes.set(edge.bytes.subarray(tailBytes), lastAt + tailBytes);
    }
    edge.bytes.fill(0);
    this.top.write(first, last - first + 1, staging, stagingAt);
  }

  /** Makes [offsetBytes, +lengthBytes) read as zeros; whole sectors become holes. */
  zero(offsetBytes: number, lengthBytes: number): void {
    this.checkChange(offsetBytes, lengthBytes);
    const endBytes = offsetBytes + lengthBytes;
    const firstWhole = Math.ceil(offsetBytes / SECTOR_BYTES);
    const endWhole = Math.floor(endBytes / SECTOR_BYTES);
    if (endWhole > firstWhole) this.discardSectors(firstWhole, endWhole - firstWhole);
    if (firstWhole > endWhole) {
      // Both edges are in one sector.
      this.zeroPart(
        endWhole,
        offsetBytes - endWhole * SECTOR_BYTES,
        endBytes - endWhole * SECTOR_BYTES,
      );
      return;
    }
    const headBytes = firstWhole * SECTOR_BYTES - offsetBytes;
    const tailBytes = endBytes - endWhole * SECTOR_BYTES;
    if (headBytes > 0) this.zeroPart(firstWhole - 1, SECTOR_BYTES - headBytes, SECTOR_BYTES);
    if (tailBytes > 0) this.zeroPart(endWhole, 0, tailBytes);
  }

  /**
   * Puts a layer on top.
   *
   * @param layer moved, if it is taken
   * @throws PlaneError InvalidArgument: its tree is not empty, or already a layer of the volume
   */
  pushLayer(layer: Layer): void {
    if (layer.countMapped(0, TREE_SECTORS_MAX) > 0 || this.hasTree(layer.treeName)) {
      throw new PlaneError(
        'InvalidArgument',
        `expected a new, empty tree on top of ${this.diskId}, got "${layer.treeName}"`,
      );
    }
    this.layers = [layer, ...this.layers];
    this.top = layer;
    this.reencryption = null;
  }

  /** Moves sectors of lower layers to the top one. @throws PlaneError what the store says */
  reencryptStep(sectorsMax: number): ReencryptProgress {
    if (this.layers.length === 1) return { movedSectors: 0, remainingSectors: 0, isDone: true };
    this.reencryption ??= new Reencryption(this.store, this.top, this.layers.slice(1));
    return this.reencryption.step(sectorsMax);
  }

  /** Gives up lower layers, keys erased. @throws PlaneError InvalidArgument: one is not empty */
  dropLowerLayers(): void {
    const lower = this.layers.slice(1);
    for (const layer of lower) {
      const mapped = layer.countMapped(0, TREE_SECTORS_MAX);
      if (mapped === 0) continue;
      throw new PlaneError(
        'InvalidArgument',
        `expected empty lower layers of ${this.diskId}, "${layer.treeName}" has ${mapped} sectors`,
      );
    }
    this.layers = [this.top];
    this.reencryption = null;
    for (const layer of lower) layer.close();
  }

  hasTree(name: string): boolean {
    return this.layers.some((layer) => layer.treeName === name);
  }

  /** Number of sectors of a range that are not holes. */
  countMapped(firstSector: number, sectorCount: number): number {
    return countMapped(this.layers, firstSector, sectorCount);
  }

  /** Erases and frees the keys. The trees stay in the store. */
  close(): void {
    for (const layer of this.layers) layer.close();
  }

  private readSectors(first: number, count: number, plain: MemoryRegion, plainAt: number): void {
    if (this.layers.length === 1) {
      this.top.read(first, count, plain, plainAt);
      return;
    }
    const holes = readLayers(this.layers, first, count, plain, plainAt);
    for (let index = 0; index < holes.length; index++) {
      const at = plainAt + (holes.firstOf(index) - first) * SECTOR_BYTES;
      plain.bytes.fill(0, at, at + holes.countOf(index) * SECTOR_BYTES);
    }
  }

  private discardSectors(first: number, count: number): void {
    for (let index = this.layers.length - 1; index >= 0; index--) {
      this.layers[index]!.discard(first, count);
    }
  }

  /** Zeroes bytes [from, to) of one sector, unless it is a hole already. */
  private zeroPart(sector: number, from: number, to: number): void {
    if (this.countMapped(sector, 1) === 0) return;
    this.readSectors(sector, 1, edge, 0);
    edge.bytes.fill(0, from, to);
    this.top.write(sector, 1, edge, 0);
    edge.bytes.fill(0);
  }

  private checkChange(offsetBytes: number, lengthBytes: number): void {
    invariant(!this.isReadOnly, `${this.diskId} is open for reading`);
    this.checkRange(offsetBytes, lengthBytes);
  }

  private checkRange(offsetBytes: number, lengthBytes: number): void {
    invariant(offsetBytes >= 0 && lengthBytes > 0, `range of ${this.diskId} is not empty`);
    invariant(offsetBytes + lengthBytes <= this.sizeBytes, `range is inside ${this.diskId}`);
  }
}
