/**
 * The map's files: the log in use, the checkpoint being written, and what they replace.
 *
 * Generation g is checkpoint g and log g: the log holds what happened after the checkpoint's roots
 * were frozen. The durable state is the newest checkpoint and all logs from its own on.
 *
 *   begin()           g+1: freezes the roots, log g+1 takes over from log g
 *   step()            writes checkpoint g+1; with the last part it is published
 *   abandon()         checkpoint g+1 is given up; log g+1 goes on behind log g, and as long as it
 *                     holds no batch, the next begin() is for it again
 *
 * 1. Before begin() everything recorded is on stable storage (the caller has flushed). begin()
 *    forces the old log once more if anything follows that flush: sequences go on from log to log,
 *    and a batch lost between two logs would cost all of the second.
 * 2. A log is on stable storage, name and head, before the checkpoint of its generation is.
 * 3. Files of older generations are removed only after a checkpoint is on stable storage.
 *
 * **Thread:** shard.
 */
import { invariant } from '../base/invariant.ts';
import { CheckpointWriter } from './checkpoint.ts';
import type { FileSystem } from './file-system.ts';
import type { StoreGeometry } from './geometry.ts';
import { MapLogWriter } from './map-log.ts';
import { checkpointPath, HEAD_BYTES, type Head, logPath } from './store-file.ts';
import type { TreeTable } from './tree-table.ts';

const NO_ROOTS: readonly number[] = [];

/** Where recovery has left the files. */
export interface GenerationsStart {
  /** Of the newest durable checkpoint; 0 if there is none. */
  readonly durable: number;
  /** The highest generation of any file there is. */
  readonly highest: number;
  /** Of the next batch. */
  readonly sequence: number;
  /** Files of no use once the next checkpoint is durable. */
  readonly stalePaths: readonly string[];
}

export class MapGenerations {
  /** Of the newest checkpoint on stable storage. */
  durable: number;
  /** Of the newest checkpoint whose roots were frozen. */
  begun: number;
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #geometry: StoreGeometry;
  readonly #trees: TreeTable;
  readonly #stalePaths: Set<string>;
  readonly #startSequence: number;
  #log: MapLogWriter | null = null;
  #writer: CheckpointWriter | null = null;
  #highest: number;
  #olderLogBytes = 0;
  #hasNewLogName = false;

  constructor(
    fileSystem: FileSystem,
    directory: string,
    geometry: StoreGeometry,
    trees: TreeTable,
    start: GenerationsStart,
  ) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#geometry = geometry;
    this.#trees = trees;
    this.durable = start.durable;
    this.begun = start.durable;
    this.#highest = start.highest;
    this.#startSequence = start.sequence;
    this.#stalePaths = new Set(start.stalePaths);
  }

  get log(): MapLogWriter | null {
    return this.#log;
  }

  get isWriting(): boolean {
    return this.#writer !== null;
  }

  get frozenRoots(): readonly number[] {
    return this.#writer?.frozenRoots ?? NO_ROOTS;
  }

  /** Bytes of batches that recovery would have to replay. */
  get replayBytes(): number {
    invariant(this.#log !== null, 'who asks has written to the log');
    return this.#log.byteCount - HEAD_BYTES + this.#olderLogBytes;
  }

  /**
   * Goes on with the log of the durable checkpoint, which holds no batch.
   *
   * @throws PlaneError NoSpace, StoreFailed
   */
  continueEmptyLog(): void {
    invariant(this.#log === null && this.#highest === this.durable, 'nothing followed the log');
    this.#log = this.#makeLog(this.durable);
  }

  /**
   * Freezes all roots and begins a checkpoint and its log. @throws PlaneError NoSpace, StoreFailed
   */
  begin(): void {
    invariant(this.#writer === null, 'one checkpoint is written at a time');
    // The new log begins where the old one ends: the old one must not get shorter again.
    if (this.#log !== null && !this.#log.isDurable) this.syncLog();
    // A checkpoint that never fits must not leave one more log each time it is tried.
    const isSame = this.#log?.byteCount === HEAD_BYTES && this.#log.generation > this.durable;
    const generation = isSame ? this.#highest : this.#highest + 1;
    const head = this.#head(generation);
    const writer = new CheckpointWriter(this.#fileSystem, this.#directory, head, this.#trees);
    if (isSame) {
      this.#writer = writer;
      return;
    }
    let log: MapLogWriter;
    try {
      log = this.#makeLog(generation);
    } catch (error) {
      writer.abandon();
      throw error;
    }
    this.#highest = generation;
    this.begun = generation;
    this.#stalePaths.add(checkpointPath(this.#directory, this.durable));
    this.#stalePaths.add(logPath(this.#directory, this.durable));
    this.#endLog();
    this.#log = log;
    this.#writer = writer;
  }

  /**
   * Writes a part of the checkpoint.
   *
   * @returns true if there is more to write; false: it is durable, and what it replaces is removed
   * @throws PlaneError NoSpace, StoreFailed: the checkpoint is given up
   */
  step(nodeBudget: number): boolean {
    const writer = this.#writer;
    invariant(writer !== null && this.#log !== null, 'a checkpoint is being written');
    try {
      if (writer.step(nodeBudget)) return true;
      this.syncLog();
      writer.publish();
    } catch (error) {
      this.abandon();
      throw error;
    }
    this.#writer = null;
    this.durable = writer.head.generation;
    this.#olderLogBytes = 0;
    this.#removeStale();
    return false;
  }

  /** Gives up the checkpoint being written, if there is one. */
  abandon(): void {
    this.#writer?.abandon();
    this.#writer = null;
  }

  /** Forces the log to stable storage, with its name. @throws PlaneError StoreFailed */
  syncLog(): void {
    invariant(this.#log !== null, 'there is a log to force');
    this.#log.sync();
    if (!this.#hasNewLogName) return;
    this.#fileSystem.fsyncDirectory(this.#directory);
    this.#hasNewLogName = false;
  }

  close(): void {
    this.abandon();
    this.#log?.close();
    this.#log = null;
  }

  #makeLog(generation: number): MapLogWriter {
    this.#hasNewLogName = true;
    return new MapLogWriter(this.#fileSystem, this.#directory, this.#head(generation));
  }

  #head(generation: number): Head {
    const firstSequence = this.#log?.sequence ?? this.#startSequence;
    return { generation, segmentSectors: this.#geometry.segmentSectors, firstSequence };
  }

  #endLog(): void {
    if (this.#log === null) return;
    this.#olderLogBytes += this.#log.byteCount - HEAD_BYTES;
    this.#stalePaths.add(logPath(this.#directory, this.#log.generation));
    this.#log.close();
    this.#log = null;
  }

  /** There are some: begin() has noted what the checkpoint replaces. */
  #removeStale(): void {
    for (const path of this.#stalePaths) {
      this.#fileSystem.unlink(path);
      this.#stalePaths.delete(path);
    }
    this.#fileSystem.fsyncDirectory(this.#directory);
  }
}
