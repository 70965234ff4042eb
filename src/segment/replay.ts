/**
 * Replays the map log's batches into the maps.
 *
 * What lies behind the last flush-mark may be lost in part: a sector of an assign-run there is
 * believed only if its slot holds what the checksum says. Its old slot is still what it was,
 * because no segment is removed before a flush-mark (journal.ts, rule 4).
 *
 * **Thread:** shard.
 */
import { SectorMemory } from '../base/sector-memory.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import { TREE_SECTORS_MAX } from '../limits.ts';
import { BelievedSlots } from './believed-slots.ts';
import { errnoOf, type FileSystem } from './file-system.ts';
import { ROOT_SECTORS } from './geometry.ts';
import { type CountedBatches, type RecordVisitor, visitRecords } from './log-reader.ts';
import type { SlotTable } from './slot-table.ts';
import { segmentPath } from './store-file.ts';
import type { TreeTable } from './tree-table.ts';

/** Slots read at once: a log refers to them mostly in the order they were written. */
const WINDOW_SLOTS = 64;

/** Reads slots of segment files, for replay. */
export class SlotReader {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #memory = new SectorMemory(WINDOW_SLOTS * SECTOR_BYTES);
  #number = -1;
  #file = -1;
  /** What is in memory: slots of the file. */
  #firstSlot = 0;
  #slotCount = 0;

  constructor(fileSystem: FileSystem, directory: string) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
  }

  /** Whether a slot holds what a checksum says. @throws the file system's error */
  holds(segmentNumber: number, slot: number, checksum: number): boolean {
    if (segmentNumber !== this.#number) this.#open(segmentNumber);
    if (this.#file < 0) return false;
    const isThere = slot >= this.#firstSlot && slot < this.#firstSlot + this.#slotCount;
    if (!isThere) this.#fill(slot);
    if (this.#slotCount === 0) return false;
    return this.#memory.checksum((slot - this.#firstSlot) * SECTOR_BYTES) === checksum;
  }

  close(): void {
    this.#closeFile();
    this.#memory.release();
  }

  /** Reads from a slot on: if not all there is room for, then it alone. */
  #fill(slot: number): void {
    try {
      this.#read(slot, WINDOW_SLOTS);
    } catch (error) {
      if (errnoOf(error) === '') throw error;
      this.#read(slot, 1);
    }
  }

  #read(slot: number, slotCount: number): void {
    const { bytes } = this.#memory.region;
    const lengthBytes = slotCount * SECTOR_BYTES;
    this.#slotCount = 0;
    const got = this.#fileSystem.pread(this.#file, bytes, 0, lengthBytes, slot * SECTOR_BYTES);
    this.#firstSlot = slot;
    this.#slotCount = Math.floor(got / SECTOR_BYTES);
  }

  #closeFile(): void {
    this.#slotCount = 0;
    if (this.#file >= 0) this.#fileSystem.close(this.#file);
    this.#file = -1;
    this.#number = -1;
  }

  #open(segmentNumber: number): void {
    this.#closeFile();
    try {
      this.#file = this.#fileSystem.open(segmentPath(this.#directory, segmentNumber), 'read');
    } catch (error) {
      // A segment that never got its name, or was removed since: none of its slots is there.
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    this.#number = segmentNumber;
  }
}

/** Does in the maps what the batches say. A visit returns false if that is impossible. */
export class Replay implements RecordVisitor {
  sectorsDropped = 0;
  /** Slots believed because of what they hold: they may not be on stable storage yet. */
  readonly believed: BelievedSlots;
  readonly #table: SlotTable;
  readonly #trees: TreeTable;
  readonly #reader: SlotReader;
  #isBelieved = true;

  constructor(table: SlotTable, trees: TreeTable, reader: SlotReader) {
    this.#table = table;
    this.#trees = trees;
    this.#reader = reader;
    this.believed = new BelievedSlots(table.segmentSlots);
  }

  run(counted: CountedBatches): void {
    try {
      for (const batch of counted.batches) {
        this.#isBelieved = batch.sequence <= counted.markSequence;
        visitRecords(batch, this);
      }
    } finally {
      this.#reader.close();
    }
  }

  assignRun(
    tree: number,
    sector: number,
    sectorCount: number,
    location: number,
    checksums: Uint32Array,
  ): boolean {
    const state = this.#trees.findNumber(tree);
    const end = sector + sectorCount;
    if (state === undefined || end > TREE_SECTORS_MAX || sectorCount === 0) return false;
    if (Math.floor(sector / ROOT_SECTORS) !== Math.floor((end - 1) / ROOT_SECTORS)) return false;
    for (let at = 0; at < sectorCount; ) {
      let whole = 0;
      while (
        at + whole < sectorCount &&
        this.#holds(location + at + whole, checksums[at + whole]!)
      ) {
        whole++;
      }
      if (whole > 0) this.#trees.assign(state, sector + at, whole, location + at, checksums, at);
      at += whole;
      if (at < sectorCount) {
        this.sectorsDropped++;
        at++;
      }
    }
    return true;
  }

  discardRun(tree: number, sector: number, sectorCount: number): boolean {
    const state = this.#trees.findNumber(tree);
    if (state === undefined || sector + sectorCount > TREE_SECTORS_MAX) return false;
    this.#trees.discard(state, sector, sectorCount);
    return true;
  }

  createTree(tree: number, name: string): boolean {
    if (tree < this.#trees.nextNumber || this.#trees.find(name) !== undefined) return false;
    this.#trees.create(name, tree);
    return true;
  }

  shareTree(source: number, tree: number, name: string): boolean {
    const state = this.#trees.findNumber(source);
    if (state === undefined || !this.createTree(tree, name)) return false;
    this.#trees.share(state, this.#trees.find(name)!);
    return true;
  }

  removeTree(tree: number): boolean {
    const state = this.#trees.findNumber(tree);
    if (state === undefined) return false;
    this.#trees.remove(state);
    return true;
  }

  #holds(location: number, checksum: number): boolean {
    if (this.#isBelieved) return true;
    const segment = this.#table.segmentNumberOf(location);
    const slot = this.#table.slotOf(location);
    if (!this.#reader.holds(segment, slot, checksum)) return false;
    this.believed.add(segment, slot, checksum);
    return true;
  }
}
