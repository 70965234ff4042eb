/**
 * A volume: the data-plane face of an attached disk, and the one place where plaintext meets
 * ciphertext. Every request to a disk's sectors passes here (the asserting choke point).
 *
 * A request's bytes lie in the staging area as whole sectors (shard-channel.ts, rule 4). A write of
 * parts of sectors first completes its edges there from what the disk holds, so that what follows
 * is always whole sectors; no lock is needed, because nothing else runs on this thread.
 *
 * 1. Plaintext is only ever in the staging area and in `edge`, which is overwritten after use.
 * 2. A hole reads as zeros and is never decrypted.
 * 3. Sectors of an encrypted disk reach the store encrypted, whatever their content.
 *
 * **Thread:** shard.
 */
import type { MemoryRegion } from '../base/bytes.ts';
import { allocateRegion } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import { SECTOR_BYTES, sectorAt } from '../base/units.ts';
import type { SectorKey } from '../cipher/sector-cipher.ts';
import type { SectorFiller, SectorVisitor, ShardStore, Tree } from '../segment/shard-store.ts';

/** One sector of plaintext, for edges. Shared by all volumes of the thread: nothing awaits. */
const edge: MemoryRegion = allocateRegion(SECTOR_BYTES);

export class Volume implements SectorFiller, SectorVisitor {
  readonly diskId: string;
  sizeBytes: number;
  private readonly store: ShardStore;
  private readonly tree: Tree;
  /** null: the disk is stored in plain. */
  private readonly key: SectorKey | null;
  /** Where the request in progress has its plaintext, and the sector its first byte belongs to. */
  private plain: MemoryRegion = edge;
  private plainOffset = 0;
  private plainSector = 0;

  /** @param key moved: closed by close() */
  constructor(store: ShardStore, diskId: string, sizeBytes: number, key: SectorKey | null) {
    this.store = store;
    this.diskId = diskId;
    this.sizeBytes = sizeBytes;
    this.tree = store.openTree(diskId);
    this.key = key;
  }

  get isEncrypted(): boolean {
    return this.key !== null;
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
    this.checkRange(offsetBytes, lengthBytes);
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
    this.writeSectors(first, last - first + 1, staging, stagingAt);
  }

  /** Makes [offsetBytes, +lengthBytes) read as zeros; whole sectors become holes. */
  zero(offsetBytes: number, lengthBytes: number): void {
    this.checkRange(offsetBytes, lengthBytes);
    const endBytes = offsetBytes + lengthBytes;
    const firstWhole = Math.ceil(offsetBytes / SECTOR_BYTES);
    const endWhole = Math.floor(endBytes / SECTOR_BYTES);
    if (endWhole > firstWhole) this.store.discard(this.tree, firstWhole, endWhole - firstWhole);
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

  /** Number of sectors of a range that are not holes. */
  countMapped(firstSector: number, sectorCount: number): number {
    return this.store.countMapped(this.tree, firstSector, sectorCount);
  }

  /** Erases and frees the key. The tree stays in the store. */
  close(): void {
    this.key?.close();
  }

  hole(firstSector: number, sectorCount: number): void {
    const at = this.plainAt(firstSector);
    this.plain.bytes.fill(0, at, at + sectorCount * SECTOR_BYTES);
  }

  run(source: MemoryRegion, sourceOffset: number, firstSector: number, sectorCount: number): void {
    const at = this.plainAt(firstSector);
    if (this.key === null) {
      const bytes = sectorCount * SECTOR_BYTES;
      this.plain.bytes.set(source.bytes.subarray(sourceOffset, sourceOffset + bytes), at);
    } else {
      this.key.decrypt(source, sourceOffset, this.plain, at, firstSector, sectorCount);
    }
  }

  fill(target: MemoryRegion, targetOffset: number, firstSector: number, sectorCount: number): void {
    const at = this.plainAt(firstSector);
    if (this.key === null) {
      const bytes = sectorCount * SECTOR_BYTES;
      target.bytes.set(this.plain.bytes.subarray(at, at + bytes), targetOffset);
    } else {
      this.key.encrypt(this.plain, at, target, targetOffset, firstSector, sectorCount);
    }
  }

  private plainAt(sector: number): number {
    invariant(sector >= this.plainSector, 'runs lie inside the request');
    return this.plainOffset + (sector - this.plainSector) * SECTOR_BYTES;
  }

  private readSectors(first: number, count: number, plain: MemoryRegion, plainAt: number): void {
    this.plain = plain;
    this.plainOffset = plainAt;
    this.plainSector = first;
    this.store.read(this.tree, first, count, this);
  }

  private writeSectors(first: number, count: number, plain: MemoryRegion, plainAt: number): void {
    this.plain = plain;
    this.plainOffset = plainAt;
    this.plainSector = first;
    this.store.append(this.tree, first, count, this);
  }

  /** Zeroes bytes [from, to) of one sector, unless it is a hole already. */
  private zeroPart(sector: number, from: number, to: number): void {
    if (this.store.countMapped(this.tree, sector, 1) === 0) return;
    this.readSectors(sector, 1, edge, 0);
    edge.bytes.fill(0, from, to);
    this.writeSectors(sector, 1, edge, 0);
    edge.bytes.fill(0);
  }

  private checkRange(offsetBytes: number, lengthBytes: number): void {
    invariant(offsetBytes >= 0 && lengthBytes > 0, `range of ${this.diskId} is not empty`);
    invariant(offsetBytes + lengthBytes <= this.sizeBytes, `range is inside ${this.diskId}`);
  }
}
