/**
 * The store in memory: nothing is written to any file, nothing outlives close().
 *
 * **Thread:** shard.
 */
import { invariant } from '../base/invariant.ts';
import { ChunkMap } from './chunk-map.ts';
import { STORE_GEOMETRY, type StoreGeometry } from './geometry.ts';
import { LogStore } from './log-store.ts';
import { MemorySegments } from './memory-segments.ts';
import type { Persistence } from './persistence.ts';
import { type SegmentBackend, SegmentSpace } from './segment-space.ts';
import type { ShardStore } from './shard-store.ts';
import { type Segment, SlotTable } from './slot-table.ts';
import { TreeTable } from './tree-table.ts';

export interface MemoryStoreOptions {
  /**
   * Bytes of ciphertext, garbage and reclaim's room included: what can be live is a segment less,
   * and a sixteenth less if it is to be overwritten. At least two segments.
   */
  readonly memoryLimitBytes: number;
  /** Tests only. @default STORE_GEOMETRY */
  readonly geometry?: StoreGeometry;
}

/**
 * Opens an empty store.
 *
 * @throws PlaneError InvalidArgument: a limit below two segments
 */
export function openMemoryStore(options: MemoryStoreOptions): ShardStore {
  const { segmentSectors } = options.geometry ?? STORE_GEOMETRY;
  const backend = new MemorySegments(options.memoryLimitBytes, segmentSectors);
  const table = new SlotTable(segmentSectors);
  const trees = new TreeTable(new ChunkMap(table));
  const space = new SegmentSpace(table, backend);
  return new LogStore({ table, space, trees, persistence: new NoPersistence(table, backend) });
}

/** Nothing is durable, so nothing has to wait: what is retired is free at once. */
class NoPersistence implements Persistence {
  readonly hasRetired = false;
  readonly hasRemovable = false;
  readonly isReady = true;
  readonly isCheckpointing = false;
  readonly checkpointUrgency = 0;
  readonly frozenRoots: readonly number[] = [];
  readonly #table: SlotTable;
  readonly #backend: SegmentBackend;

  constructor(table: SlotTable, backend: SegmentBackend) {
    this.#table = table;
    this.#backend = backend;
  }

  retire(segment: Segment): void {
    this.#table.retire(segment);
    this.#backend.remove(segment.number);
    this.#table.remove(segment);
  }

  retry(): boolean {
    return true;
  }

  requireAppendable(): void {}
  requireChangeable(): void {}
  recordAssign(): void {}
  recordDiscard(): void {}
  recordCreate(): void {}
  recordShare(): void {}
  recordRemove(): void {}
  noteMove(): void {}
  removeSome(): void {}
  commit(): void {}
  flush(): void {}
  close(): void {}

  spareSlots(): number {
    invariant(false, 'a memory store has no reserve, and is always ready');
  }

  settle(): void {
    invariant(false, 'a memory store has nothing retired');
  }

  beginCheckpoint(): void {
    invariant(false, 'a memory store writes no checkpoint');
  }

  stepCheckpoint(): void {
    invariant(false, 'a memory store writes no checkpoint');
  }
}
