/**
 * Reads everything and checks what shard-store.ts promises.
 *
 * 1. Every reference of every tree (and of the maps a checkpoint being written has frozen) lies in
 *    a used slot of a segment that is not retired.
 * 2. What the slot holds matches the checksum of the reference, of every reference.
 * 3. A slot has a count above 0 exactly if something refers to it; live and stored slots add up.
 * 4. Every map is a sound tree (ChunkMap.checkTree).
 *
 * **Thread:** shard.
 */
import { PlaneError } from '../base/errors.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import { EMPTY_ROOT } from './chunk-map.ts';
import { ROOT_SECTORS, RUN_SECTORS_MAX } from './geometry.ts';
import type { SegmentBackend } from './segment-space.ts';
import type { StoreCheck } from './shard-store.ts';
import type { SlotTable } from './slot-table.ts';
import type { TreeTable } from './tree-table.ts';

/** More would not be read by anyone. */
const PROBLEMS_MAX = 1000;

/** Checks it all. Changes nothing. */
export function checkStore(
  trees: TreeTable,
  frozenRoots: readonly number[],
  table: SlotTable,
  backend: SegmentBackend,
): StoreCheck {
  const check = new StoreChecker(trees, table, backend);
  for (const tree of trees.all()) {
    tree.roots.forEach((root, index) => {
      check.visitRoot(`tree "${tree.name}"`, index * ROOT_SECTORS, root);
    });
  }
  frozenRoots.forEach((root) => {
    check.visitRoot('a frozen map', 0, root);
  });
  check.compareCounts();
  const { sectorsChecked, problems } = check;
  return { treesChecked: trees.count, sectorsChecked, problems };
}

class StoreChecker {
  readonly problems: string[] = [];
  sectorsChecked = 0;
  readonly #trees: TreeTable;
  readonly #table: SlotTable;
  readonly #backend: SegmentBackend;
  /** 1 for slots that something refers to, by segment. */
  readonly #referred = new Map<number, Uint8Array>();
  readonly #checksums = new Uint32Array(RUN_SECTORS_MAX);
  #owner = '';
  #runSector = 0;
  #runLocation = 0;
  #runCount = 0;

  constructor(trees: TreeTable, table: SlotTable, backend: SegmentBackend) {
    this.#trees = trees;
    this.#table = table;
    this.#backend = backend;
  }

  visitRoot(owner: string, firstSector: number, root: number): void {
    if (root === EMPTY_ROOT) return;
    this.#owner = owner;
    const { map } = this.#trees;
    for (const problem of map.checkTree(root)) this.#report(`${owner}: ${problem}`);
    map.forEachSector(root, (sector, location, checksum) => {
      this.#visit(firstSector + sector, location, checksum);
    });
    this.#endRun();
  }

  compareCounts(): void {
    let live = 0;
    let stored = 0;
    let segments = 0;
    for (const segment of this.#table.all()) {
      const referred = this.#referred.get(segment.number);
      let liveSlots = 0;
      for (let slot = 0; slot < this.#table.segmentSlots; slot++) {
        const isReferred = referred?.[slot] === 1;
        const count = segment.references[slot]!;
        if (count > 0) liveSlots++;
        if (count > 0 === isReferred) continue;
        const expected = isReferred ? 'a count above 0' : 'a count of 0';
        this.#report(`segment ${segment.number}, slot ${slot}: expected ${expected}, got ${count}`);
      }
      this.#compare(`live slots of segment ${segment.number}`, segment.liveSlots, liveSlots);
      live += liveSlots;
      stored += segment.usedSlots;
      segments++;
    }
    this.#compare('live slots', this.#table.liveSectors, live);
    this.#compare('stored slots', this.#table.storedSectors, stored);
    this.#compare('segments', this.#table.segmentCount, segments);
  }

  #compare(what: string, expected: number, got: number): void {
    if (expected !== got) this.#report(`expected ${expected} ${what}, got ${got}`);
  }

  #visit(sector: number, location: number, checksum: number): void {
    this.sectorsChecked++;
    const segment = this.#table.find(this.#table.segmentNumberOf(location));
    const slot = this.#table.slotOf(location);
    if (segment === undefined || segment.state === 'retired' || slot >= segment.usedSlots) {
      this.#endRun();
      this.#report(`${this.#owner}, sector ${sector}: location ${location} is in no used slot`);
      return;
    }
    const continues =
      this.#runCount > 0 &&
      this.#runCount < RUN_SECTORS_MAX &&
      location === this.#runLocation + this.#runCount &&
      sector === this.#runSector + this.#runCount &&
      slot > 0;
    if (!continues) {
      this.#endRun();
      this.#runSector = sector;
      this.#runLocation = location;
    }
    this.#checksums[this.#runCount++] = checksum;
    let referred = this.#referred.get(segment.number);
    if (referred === undefined) {
      referred = new Uint8Array(this.#table.segmentSlots);
      this.#referred.set(segment.number, referred);
    }
    referred[slot] = 1;
  }

  /** Reads and verifies the run gathered so far, which lies in one segment. */
  #endRun(): void {
    const count = this.#runCount;
    if (count === 0) return;
    this.#runCount = 0;
    const segment = this.#table.segmentNumberOf(this.#runLocation);
    const slot = this.#table.slotOf(this.#runLocation);
    const found = this.#load(segment, slot, count);
    for (let index = 0; index < count; index++) {
      const where = `segment ${segment}, slot ${slot + index}`;
      const sector = `${this.#owner}, sector ${this.#runSector + index}`;
      if (index >= found) {
        this.#report(`${sector}: ${where} cannot be read`);
        continue;
      }
      const actual = this.#backend.loadedMemory.checksum(
        this.#backend.loadedOffset + index * SECTOR_BYTES,
      );
      if (actual === this.#checksums[index]) continue;
      this.#report(`${sector}: ${where} does not hold what its checksum says`);
    }
  }

  #load(segment: number, slot: number, count: number): number {
    try {
      return this.#backend.load(segment, slot, count);
    } catch (error) {
      if (error instanceof PlaneError) return 0;
      throw error;
    }
  }

  #report(problem: string): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push(problem);
  }
}
