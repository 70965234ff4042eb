/**
 * Makes a file store last: segments, then the map log; now and then a checkpoint.
 *
 * 1. commit() hands new slots to the operating system first, the records that refer to them second:
 *    a killed process loses nothing committed.
 * 2. flush() forces slots, then writes a flush-mark and forces the log: so a counted mark says that
 *    every slot referred to before it is there (map-log.ts has the reading side). Behind the mark
 *    it notes that it was forced; the note itself need not be.
 * 3. A checkpoint begins with a flush(): it never refers to a slot that is not on stable storage.
 *    The first of an opening begins with what recovery believes (believed-slots.ts).
 * 4. A segment without live slots is removed only when nothing durable refers to it: after the next
 *    flush-mark, if its references were replaced by records; after a checkpoint begun later than
 *    the last move, and a flush then, if reclaim has moved slots out of it without a record.
 * 5. Nothing is recorded before the first checkpoint of this opening, if it begins with one, is
 *    durable: what recovery did not believe must not be believed the next time.
 * 6. Without space for appends, what reclaim may copy and the checkpoint that has to follow (rule
 *    4) fit together into what is left of the reserve less half of reserveBytes, which is for
 *    records. Changes by which the maps may grow are taken then as long as a checkpoint has room;
 *    a log longer than an eighth of reserveBytes is replaced by one.
 *
 * **Thread:** shard.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import { COMMIT_PENDING_BYTES_MAX, SEGMENT_FILES_DIRTY_MAX } from '../limits.ts';
import { checkpointBytesMax } from './checkpoint.ts';
import type { StoreGeometry } from './geometry.ts';
import type { MapGenerations } from './map-generations.ts';
import type { MapLogWriter } from './map-log.ts';
import type { Persistence } from './persistence.ts';
import type { SegmentFiles } from './segment-files.ts';
import type { SegmentSpace } from './segment-space.ts';
import type { Segment, SlotTable } from './slot-table.ts';
import type { SpaceReserve } from './space-reserve.ts';
import type { StoreHealth } from './store-health.ts';
import type { TreeTable } from './tree-table.ts';

/** Units of work (about a microsecond) that writing one node of a map takes. */
const UNITS_PER_NODE = 4;
/** Segments removed in one step: the system takes a millisecond or more to free 16 MiB. */
const REMOVALS_PER_STEP = 2;

/** The reserve grows by so much at a time. */
function stepBytesOf({ reserveBytes }: StoreGeometry): number {
  return Math.max(SECTOR_BYTES, reserveBytes / 4);
}

export interface JournalParts {
  readonly geometry: StoreGeometry;
  readonly health: StoreHealth;
  readonly table: SlotTable;
  readonly space: SegmentSpace;
  readonly segments: SegmentFiles;
  readonly trees: TreeTable;
  readonly generations: MapGenerations;
  readonly reserve: SpaceReserve;
}

export class Journal implements Persistence {
  readonly #parts: JournalParts;
  readonly #health: StoreHealth;
  readonly #generations: MapGenerations;
  readonly #awaitingFlush: Segment[] = [];
  readonly #awaitingCheckpoint: Segment[] = [];
  readonly #removable: Segment[] = [];
  /** Rule 5. */
  #isStarted = false;
  #forceBelieved: () => void = () => {};
  /** Everything recorded is behind a flush-mark on stable storage. */
  #isMarked = true;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#health = parts.health;
    this.#generations = parts.generations;
  }

  /**
   * Begins: with the empty log there is, or else with a checkpoint. Never throws; what could not be
   * done is tried again by the calls that need it.
   *
   * @param retired segments recovery found no reference to any more
   * @param forceBelieved brings what recovery believes to stable storage. It may be called again
   *   @throws PlaneError NoSpace, StoreFailed
   */
  start(hasEmptyLog: boolean, retired: readonly Segment[], forceBelieved: () => void): void {
    invariant(!hasEmptyLog || retired.length === 0, 'without a batch no reference goes');
    this.#forceBelieved = forceBelieved;
    this.#awaitingCheckpoint.push(...retired);
    this.#quietly(() => {
      if (hasEmptyLog) {
        this.#sparing(() => this.#generations.continueEmptyLog());
        this.#isStarted = true;
      }
      this.#requireLog();
      this.#parts.reserve.hold(this.#reserveBytes());
    });
  }

  requireAppendable(): void {
    this.#health.requireReady();
    const { reserve, segments, space } = this.#parts;
    if (reserve.heldBytes < this.#reserveBytes()) this.#growReserve();
    const pendingBytes = segments.pendingBytes(space.segment?.usedSlots ?? 0);
    if (pendingBytes > COMMIT_PENDING_BYTES_MAX) this.commit();
    this.requireChangeable(false);
  }

  requireChangeable(isRemoval: boolean): void {
    if (this.#requireLog().pendingBytes > COMMIT_PENDING_BYTES_MAX) this.commit();
    if (this.#health.isReady || isRemoval) return;
    if (this.#freeBytes() < this.#checkpointBytes()) this.#health.requireReady();
  }

  recordAssign(
    tree: number,
    sector: number,
    sectorCount: number,
    location: number,
    checksums: Uint32Array,
  ): void {
    this.#recording().assignRun(tree, sector, sectorCount, location, checksums);
  }

  recordDiscard(tree: number, sector: number, sectorCount: number): void {
    this.#recording().discardRun(tree, sector, sectorCount);
  }

  recordCreate(tree: number, name: string): void {
    this.#recording().createTree(tree, name);
  }

  recordShare(source: number, tree: number, name: string): void {
    this.#recording().shareTree(source, tree, name);
  }

  recordRemove(tree: number): void {
    this.#recording().removeTree(tree);
  }

  noteMove(segment: Segment): void {
    invariant(!this.#generations.isWriting, 'nothing moves while a checkpoint is written');
    segment.movedAfterCheckpoint = this.#generations.begun;
  }

  retire(segment: Segment): void {
    this.#parts.table.retire(segment);
    const isMoved = segment.movedAfterCheckpoint >= this.#generations.durable;
    (isMoved ? this.#awaitingCheckpoint : this.#awaitingFlush).push(segment);
  }

  get hasRetired(): boolean {
    return this.#awaitingFlush.length + this.#awaitingCheckpoint.length > 0;
  }

  get hasRemovable(): boolean {
    return this.#removable.length > 0;
  }

  removeSome(): void {
    this.#quietly(() => this.#remove(REMOVALS_PER_STEP));
  }

  commit(): void {
    this.#write();
    if (this.#parts.segments.dirtyCount > SEGMENT_FILES_DIRTY_MAX) this.flush();
    if (!this.#health.isReady && this.#isLogLong) this.#quietly(() => this.#makeSpace());
  }

  flush(): void {
    const log = this.#write();
    this.#parts.segments.sync();
    if (!this.#isMarked) {
      this.#sparing(() => log.writeMark());
      this.#generations.syncLog();
      this.#isMarked = true;
      this.#quietly(() => log.writeNote());
    }
    this.#removable.push(...this.#awaitingFlush.splice(0));
    if (!this.#health.isReady) this.#quietly(() => this.#holdReserve());
  }

  get isReady(): boolean {
    return this.#health.isReady && this.#isStarted;
  }

  retry(): boolean {
    if (this.isReady) return true;
    if (this.#health.isFailed) return false;
    this.#quietly(() => this.#makeSpace());
    return this.isReady;
  }

  spareSlots(): number {
    const { geometry, segments, space, trees } = this.#parts;
    // Half of it is for records, whatever the size of the maps.
    const usableBytes =
      Math.min(this.#freeBytes(), this.#reserveBytes()) - geometry.reserveBytes / 2;
    const isWritten = this.#isMarked && segments.pendingBytes(space.segment?.usedSlots ?? 0) === 0;
    if (this.#health.isFailed || !this.#isStarted || !isWritten) return 0;
    return Math.max(0, Math.floor((usableBytes - checkpointBytesMax(trees)) / SECTOR_BYTES));
  }

  get isCheckpointing(): boolean {
    return this.#generations.isWriting;
  }

  get checkpointUrgency(): number {
    const { geometry, trees } = this.#parts;
    const bytesMax = Math.max(geometry.logBytesMax, trees.map.byteCount / 2);
    return this.#generations.replayBytes / bytesMax;
  }

  get frozenRoots(): readonly number[] {
    return this.#generations.frozenRoots;
  }

  settle(): void {
    if (this.#awaitingCheckpoint.length > 0) this.beginCheckpoint();
    else this.#quietly(() => this.flush());
  }

  beginCheckpoint(): void {
    this.#quietly(() => {
      this.flush();
      this.#generations.begin();
    });
  }

  stepCheckpoint(units: number): void {
    this.#quietly(() => this.#step(Math.ceil(units / UNITS_PER_NODE)));
  }

  close(): void {
    try {
      this.flush();
      this.#generations.abandon();
      if (this.#generations.replayBytes > 0) this.beginCheckpoint();
      while (this.#generations.isWriting) this.stepCheckpoint(Number.MAX_SAFE_INTEGER);
      this.#quietly(() => this.#remove(Number.POSITIVE_INFINITY));
    } finally {
      this.#generations.close();
      this.#parts.segments.close();
    }
  }

  /** The log, once it may be written to. @throws PlaneError NoSpace, StoreFailed */
  #requireLog(): MapLogWriter {
    this.#health.requireNotFailed();
    if (!this.#isStarted) this.#begin();
    const { log } = this.#generations;
    invariant(log !== null, 'a started journal has a log');
    return log;
  }

  #recording(): MapLogWriter {
    const { log } = this.#generations;
    invariant(this.#isStarted && log !== null, 'it was asked before whether changes are taken');
    this.#isMarked = false;
    return log;
  }

  /** Slots, then records. @throws PlaneError NoSpace, StoreFailed: all is kept for the next time */
  #write(): MapLogWriter {
    const { segments, space } = this.#parts;
    const log = this.#requireLog();
    this.#sparing(() => {
      segments.write(space.segment?.usedSlots ?? 0);
      log.write();
    });
    if (!this.#health.isReady) this.#quietly(() => this.#holdReserve());
    return log;
  }

  /** Does what may be repeated; if there is no space for it, with what is held back. */
  #sparing(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof PlaneError) || error.code !== 'NoSpace') throw error;
      // A checkpoint begun takes up space, and can be begun again.
      this.#generations.abandon();
      if (!this.#parts.reserve.spend()) throw error;
      work();
    }
  }

  /**
   * Ends the state of being full, if there is space again. @throws PlaneError NoSpace, StoreFailed
   */
  #holdReserve(): void {
    this.#health.requireNotFailed();
    this.#parts.reserve.hold(this.#reserveBytes());
    this.#health.setReady();
  }

  /** The maps have outgrown it: by a step more than it takes, so that this is seldom. */
  #growReserve(): void {
    const { geometry, reserve } = this.#parts;
    reserve.hold(this.#reserveBytes() + stepBytesOf(geometry));
  }

  /** What has to be held back for the maps as they are, in steps; a small one is not counted. */
  #reserveBytes(): number {
    const { geometry, trees } = this.#parts;
    const stepBytes = stepBytesOf(geometry);
    const extraBytes = Math.max(0, checkpointBytesMax(trees) - geometry.reserveBytes / 8);
    return geometry.reserveBytes + Math.ceil(extraBytes / stepBytes) * stepBytes;
  }

  /** What a checkpoint takes after the next changes. */
  #checkpointBytes(): number {
    const { geometry, trees } = this.#parts;
    return checkpointBytesMax(trees) + geometry.reserveBytes / 8;
  }

  /** What can be written, the reserve included. */
  #freeBytes(): number {
    const { reserve, segments } = this.#parts;
    return 2 * segments.movableSlots() * SECTOR_BYTES + reserve.heldBytes;
  }

  /** Rule 6: what it takes up is more than a checkpoint would, before long. */
  get #isLogLong(): boolean {
    const { geometry } = this.#parts;
    const isLong = this.#generations.replayBytes > geometry.reserveBytes / 8;
    return isLong && this.#freeBytes() >= this.#checkpointBytes();
  }

  /**
   * Writes what is pending and gives back what is retired. @throws PlaneError NoSpace, StoreFailed
   */
  #makeSpace(): void {
    this.flush();
    // All of it is written, so that this needs no space.
    this.#parts.space.sealGarbage();
    this.#remove(Number.POSITIVE_INFINITY);
    if (this.#awaitingCheckpoint.length === 0 && !this.#isLogLong) {
      // As in #sparing().
      this.#generations.abandon();
    } else {
      if (!this.#generations.isWriting) this.#generations.begin();
      while (this.#generations.isWriting) this.#step(Number.MAX_SAFE_INTEGER);
      this.#remove(Number.POSITIVE_INFINITY);
    }
    this.#holdReserve();
  }

  /** The first checkpoint of this opening, at once. @throws PlaneError NoSpace, StoreFailed */
  #begin(): void {
    this.#sparing(() => {
      this.#forceBelieved();
      if (!this.#generations.isWriting) this.#generations.begin();
      while (this.#generations.step(Number.MAX_SAFE_INTEGER));
    });
    this.#isStarted = true;
    this.#removable.push(...this.#awaitingCheckpoint.splice(0));
  }

  #step(nodeBudget: number): void {
    if (this.#generations.step(nodeBudget)) return;
    // Of the segments reclaim emptied nothing durable knows the old places any more. But records
    // that emptied one of them since the roots were frozen may not be durable yet.
    this.#awaitingFlush.push(...this.#awaitingCheckpoint.splice(0));
    this.flush();
  }

  /** @throws PlaneError NoSpace, StoreFailed: the rest is still to be removed */
  #remove(countMax: number): void {
    for (let count = 0; count < countMax; count++) {
      const segment = this.#removable.at(-1);
      if (segment === undefined) return;
      this.#parts.segments.remove(segment.number);
      this.#parts.table.remove(segment);
      this.#removable.pop();
    }
  }

  /** Does background work: the health keeps the error, and the next caller is told. */
  #quietly(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof PlaneError)) throw error;
      invariant(!this.#health.isReady, 'an error of a write is kept by the health');
    }
  }
}
