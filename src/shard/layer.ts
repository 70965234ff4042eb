/**
 * A layer: one tree of the store, encrypted under exactly one data key, or plain. The one place
 * where plaintext meets ciphertext.
 *
 * 1. All ciphertext of the tree is under this layer's key: the tree a sector lies in names its key.
 * 2. A hole is never decrypted.
 * 3. Sectors of an encrypted layer reach the store encrypted, whatever their content.
 *
 * **Thread:** shard. Calls run to their end, and none into another of the same layer.
 */
import type { MemoryRegion } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import type { SectorKey } from '../cipher/sector-cipher.ts';
import type {
  Extent,
  SectorFiller,
  SectorVisitor,
  ShardStore,
  Tree,
} from '../segment/shard-store.ts';
import type { SectorRanges } from './sector-ranges.ts';
import { stageClock } from './stage-clock.ts';

export class Layer implements SectorFiller, SectorVisitor {
  private readonly store: ShardStore;
  private readonly tree: Tree;
  /** null: the layer is stored in plain. */
  private readonly key: SectorKey | null;
  /** Where the request in progress has its plaintext, and the sector its first byte belongs to. */
  private plain: MemoryRegion | null = null;
  private plainOffset = 0;
  private plainSector = 0;
  /** Where a read notes holes; null: it makes them zeros. */
  private holes: SectorRanges | null = null;

  /** @param key moved: closed by close(). @throws PlaneError what the store says: key is open */
  constructor(store: ShardStore, treeName: string, key: SectorKey | null) {
    this.store = store;
    this.tree = store.openTree(treeName);
    this.key = key;
  }

  get treeName(): string {
    return this.tree.name;
  }

  get isEncrypted(): boolean {
    return this.key !== null;
  }

  /** Decrypts sectors into plain; holes become zeros. */
  read(first: number, count: number, plain: MemoryRegion, plainAt: number): void {
    this.plain = plain;
    this.plainOffset = plainAt;
    this.plainSector = first;
    this.store.read(this.tree, first, count, this);
  }

  /** Decrypts sectors into plain; holes are noted, and their bytes in plain left as they are. */
  readMapped(
    first: number,
    count: number,
    plain: MemoryRegion,
    plainAt: number,
    holes: SectorRanges,
  ): void {
    this.holes = holes;
    try {
      this.read(first, count, plain, plainAt);
    } finally {
      this.holes = null;
    }
  }

  /** Encrypts sectors from plain, and stores them. */
  write(first: number, count: number, plain: MemoryRegion, plainAt: number): void {
    this.plain = plain;
    this.plainOffset = plainAt;
    this.plainSector = first;
    this.store.append(this.tree, first, count, this);
  }

  discard(first: number, count: number): void {
    this.store.discard(this.tree, first, count);
  }

  countMapped(first: number, count: number): number {
    return this.store.countMapped(this.tree, first, count);
  }

  extentAt(first: number, countMax: number, extent: Extent): void {
    this.store.extentAt(this.tree, first, countMax, extent);
  }

  /** Erases and frees the key. The tree stays in the store. */
  close(): void {
    this.key?.close();
  }

  hole(firstSector: number, sectorCount: number): void {
    if (this.holes !== null) {
      this.holes.add(firstSector, sectorCount);
      return;
    }
    const at = this.plainAt(firstSector);
    this.plain!.bytes.fill(0, at, at + sectorCount * SECTOR_BYTES);
  }

  run(source: MemoryRegion, sourceOffset: number, firstSector: number, sectorCount: number): void {
    const at = this.plainAt(firstSector);
    if (this.key === null) {
      const bytes = sectorCount * SECTOR_BYTES;
      this.plain!.bytes.set(source.bytes.subarray(sourceOffset, sourceOffset + bytes), at);
    } else {
      const beganAt = stageClock.cipherBegins();
      this.key.decrypt(source, sourceOffset, this.plain!, at, firstSector, sectorCount);
      stageClock.cipherEnds(beganAt);
    }
  }

  fill(target: MemoryRegion, targetOffset: number, firstSector: number, sectorCount: number): void {
    const at = this.plainAt(firstSector);
    if (this.key === null) {
      const bytes = sectorCount * SECTOR_BYTES;
      target.bytes.set(this.plain!.bytes.subarray(at, at + bytes), targetOffset);
    } else {
      const beganAt = stageClock.cipherBegins();
      this.key.encrypt(this.plain!, at, target, targetOffset, firstSector, sectorCount);
      stageClock.cipherEnds(beganAt);
    }
  }

  private plainAt(sector: number): number {
    invariant(this.plain !== null && sector >= this.plainSector, 'runs lie inside the request');
    return this.plainOffset + (sector - this.plainSector) * SECTOR_BYTES;
  }
}
