/**
 * The store: trees, slots, a backend that holds segments, and whoever makes it all last.
 *
 *   append   room? ─▶ filler writes ciphertext into the open segment ─▶ checksums ─▶ slots taken
 *            ─▶ the map refers to them ─▶ recorded. A filler that throws has changed nothing.
 *   read     the map says hole or run ─▶ bytes found ─▶ every checksum verified ─▶ visitor
 *
 * The same code is the memory store and the file store: they differ in SegmentBackend (where slots
 * are) and Persistence (what is written when). Nothing on the way of a sector allocates.
 *
 * **Thread:** shard.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import { Background } from './background.ts';
import { checkStore } from './checker.ts';
import { type ChunkRun, createChunkRun } from './chunk-map.ts';
import { RUN_SECTORS_MAX } from './geometry.ts';
import type { Persistence } from './persistence.ts';
import { Reclaimer } from './reclaim.ts';
import type { SegmentSpace } from './segment-space.ts';
import type {
  Extent,
  SectorFiller,
  SectorVisitor,
  ShardStore,
  ShardStoreStats,
  StoreCheck,
  Tree,
} from './shard-store.ts';
import type { SlotTable } from './slot-table.ts';
import {
  requireSectorRange,
  requireTreeName,
  TreeState,
  type TreeTable,
  withinRoot,
} from './tree-table.ts';

/** Units of work (about a microsecond) of one idle() step. */
const IDLE_UNITS = 1000;

export interface LogStoreParts {
  readonly table: SlotTable;
  readonly space: SegmentSpace;
  readonly trees: TreeTable;
  readonly persistence: Persistence;
}

export class LogStore implements ShardStore {
  readonly #table: SlotTable;
  readonly #space: SegmentSpace;
  readonly #trees: TreeTable;
  readonly #persistence: Persistence;
  readonly #reclaimer: Reclaimer;
  readonly #background: Background;
  readonly #run: ChunkRun = createChunkRun(RUN_SECTORS_MAX);
  readonly #checksums = new Uint32Array(RUN_SECTORS_MAX);
  #isOpen = true;

  constructor(parts: LogStoreParts) {
    const { table, space, trees, persistence } = parts;
    this.#table = table;
    this.#space = space;
    this.#trees = trees;
    this.#persistence = persistence;
    this.#reclaimer = new Reclaimer({ map: trees.map, table, space, persistence });
    this.#background = new Background(table, space, this.#reclaimer, persistence);
  }

  treeNames(): string[] {
    this.#requireOpen();
    return Array.from(this.#trees.all(), (tree) => tree.name);
  }

  openTree(name: string): Tree {
    this.#requireOpen();
    const tree = this.#trees.find(name);
    if (tree !== undefined) return tree;
    requireTreeName(name);
    this.#persistence.requireChangeable(false);
    return this.#create(name);
  }

  shareTree(source: string, target: string): void {
    this.#requireOpen();
    requireTreeName(target);
    if (this.#trees.find(target) !== undefined) {
      throw new PlaneError('InvalidArgument', `expected no tree "${target}", there is one`);
    }
    this.#persistence.requireChangeable(false);
    const sourceTree = this.#trees.find(source);
    if (sourceTree === undefined) {
      this.#create(target);
      return;
    }
    const targetTree = this.#trees.create(target);
    this.#trees.share(sourceTree, targetTree);
    this.#persistence.recordShare(sourceTree.number, targetTree.number, target);
  }

  removeTree(name: string): void {
    this.#requireOpen();
    const tree = this.#trees.find(name);
    if (tree === undefined) return;
    this.#persistence.requireChangeable(true);
    this.#trees.remove(tree);
    this.#persistence.recordRemove(tree.number);
    this.#background.retireEmptied();
    this.#background.keepPace(1);
  }

  append(tree: Tree, sector: number, sectorCount: number, filler: SectorFiller): void {
    const state = this.#stateOf(tree);
    requireSectorRange(sector, sectorCount);
    this.#persistence.requireAppendable();
    this.#background.makeRoom(sectorCount);
    const end = sector + sectorCount;
    for (let at = sector; at < end; ) {
      this.#persistence.requireAppendable();
      const slots = Math.min(this.#space.openSlots(), RUN_SECTORS_MAX);
      const count = Math.min(slots, withinRoot(at, end - at));
      this.#appendRun(state, at, count, filler);
      at += count;
    }
    this.#background.retireEmptied();
    this.#background.keepPace(sectorCount);
  }

  read(tree: Tree, sector: number, sectorCount: number, visitor: SectorVisitor): void {
    const state = this.#stateOf(tree);
    requireSectorRange(sector, sectorCount);
    const run = this.#run;
    const end = sector + sectorCount;
    let holeStart = sector;
    for (let at = sector; at < end; at += run.sectorCount) {
      const countMax = withinRoot(at, end - at);
      this.#trees.lookup(state, at, countMax, run);
      invariant(run.sectorCount > 0 && run.sectorCount <= countMax, 'a lookup finds some of it');
      if (run.isHole) continue;
      if (holeStart < at) visitor.hole(holeStart, at - holeStart);
      this.#visitRun(state, at, visitor);
      holeStart = at + run.sectorCount;
    }
    if (holeStart < end) visitor.hole(holeStart, end - holeStart);
  }

  discard(tree: Tree, sector: number, sectorCount: number): void {
    const state = this.#stateOf(tree);
    requireSectorRange(sector, sectorCount);
    this.#persistence.requireChangeable(false);
    if (this.#trees.countMapped(state, sector, sectorCount) === 0) return;
    this.#trees.discard(state, sector, sectorCount);
    this.#persistence.recordDiscard(state.number, sector, sectorCount);
    this.#background.retireEmptied();
    this.#background.keepPace(1);
  }

  countMapped(tree: Tree, sector: number, sectorCount: number): number {
    const state = this.#stateOf(tree);
    requireSectorRange(sector, sectorCount);
    return this.#trees.countMapped(state, sector, sectorCount);
  }

  extentAt(tree: Tree, sector: number, sectorCountMax: number, extent: Extent): void {
    const state = this.#stateOf(tree);
    requireSectorRange(sector, sectorCountMax);
    invariant(sectorCountMax > 0, 'an extent is at least one sector');
    this.#trees.lookup(state, sector, withinRoot(sector, sectorCountMax), this.#run);
    extent.isHole = this.#run.isHole;
    extent.sectorCount = this.#run.sectorCount;
  }

  commit(): void {
    this.#requireOpen();
    this.#persistence.commit();
  }

  flush(): void {
    this.#requireOpen();
    this.#persistence.flush();
  }

  idle(): boolean {
    this.#requireOpen();
    return this.#background.step(IDLE_UNITS);
  }

  stats(): ShardStoreStats {
    return {
      liveSectors: this.#table.liveSectors,
      storedSectors: this.#table.storedSectors,
      mapBytes: this.#trees.map.byteCount + this.#table.byteCount,
      segments: this.#table.segmentCount,
      trees: this.#trees.count,
      reclaimedSectors: this.#reclaimer.movedSectors,
    };
  }

  check(): StoreCheck {
    this.#requireOpen();
    const { frozenRoots } = this.#persistence;
    return checkStore(this.#trees, frozenRoots, this.#table, this.#space.backend);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#reclaimer.end();
    this.#background.retireEmptied();
    try {
      this.#persistence.close();
    } finally {
      this.#space.backend.close();
    }
  }

  #create(name: string): TreeState {
    const tree = this.#trees.create(name);
    this.#persistence.recordCreate(tree.number, name);
    return tree;
  }

  #appendRun(tree: TreeState, sector: number, count: number, filler: SectorFiller): void {
    const { memory, offsetBytes } = this.#space;
    filler.fill(memory.region, offsetBytes, sector, count);
    const checksums = this.#checksums;
    memory.checksums(offsetBytes, count, checksums, 0);
    const location = this.#space.take(count);
    this.#trees.assign(tree, sector, count, location, checksums, 0);
    this.#persistence.recordAssign(tree.number, sector, count, location, checksums);
  }

  /** Visits the run a lookup has found, segment by segment: slots go on from one to the next. */
  #visitRun(tree: TreeState, sector: number, visitor: SectorVisitor): void {
    const { location, sectorCount } = this.#run;
    const { backend } = this.#space;
    for (let done = 0; done < sectorCount; ) {
      const segment = this.#table.segmentNumberOf(location + done);
      const slot = this.#table.slotOf(location + done);
      const count = Math.min(sectorCount - done, this.#table.segmentSlots - slot);
      const found = backend.load(segment, slot, count);
      const { loadedMemory, loadedOffset } = backend;
      const wrong = loadedMemory.findMismatch(loadedOffset, found, this.#run.checksums, done);
      if (wrong >= 0) {
        const actual = loadedMemory.checksum(loadedOffset + wrong * SECTOR_BYTES);
        throw this.#mismatch(tree, sector, done + wrong, actual);
      }
      if (found < count) throw this.#mismatch(tree, sector, done + found, null);
      visitor.run(loadedMemory.region, loadedOffset, sector + done, count);
      done += count;
    }
  }

  #mismatch(tree: TreeState, sector: number, index: number, actual: number | null): PlaneError {
    const location = this.#run.location + index;
    const segment = this.#table.segmentNumberOf(location);
    const where = `segment ${segment}, slot ${this.#table.slotOf(location)}`;
    const expected = `expected checksum ${this.#run.checksums[index]!.toString(16)}`;
    const got = actual === null ? 'the segment ends before it' : `got ${actual.toString(16)}`;
    const what = `tree "${tree.name}", sector ${sector + index}: ${expected}, ${got} (${where})`;
    return new PlaneError('ChecksumMismatch', what);
  }

  #stateOf(tree: Tree): TreeState {
    this.#requireOpen();
    invariant(tree instanceof TreeState && tree.isOpen, 'a tree is used while it is there');
    return tree;
  }

  #requireOpen(): void {
    invariant(this.#isOpen, 'a store is used until it is closed');
  }
}
