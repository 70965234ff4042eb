/**
 * The chunk map: where the ciphertext of every sector of every tree lies, and its checksum.
 *
 * A persistent B+tree. A tree is a root, the number of a node; all trees of a shard share one arena
 * of nodes (chunk-map-nodes.ts: layout, reference counts, rules). Sharing a root is one increment;
 * the first change after it copies the nodes on the way down to the change and no others. So:
 *
 * - a snapshot or clone costs the same whatever the size of the disk;
 * - a lookup costs the same however many snapshots there are: it never leaves its own tree;
 * - two trees cost what they differ by.
 *
 * Roots are owned. EMPTY_ROOT is the empty map and needs no owner. assign() and remove() consume
 * the root they are given and return the root to own instead; the two may be the same. Every owner
 * ends with one release().
 *
 * One root maps 2^32 sectors (16 TiB); a larger disk is several roots.
 *
 * Parts: chunk-map-nodes.ts arena · chunk-map-search.ts ways down that change nothing ·
 * chunk-map-path.ts the way down that copies · chunk-map-balance.ts splits and merges ·
 * chunk-map-removal.ts ranges unmapped · chunk-map-release.ts trees given up ·
 * chunk-map-relocation.ts the pass of reclaim · chunk-map-check.ts the checker ·
 * chunk-map-dump.ts trees as bytes.
 *
 * **Thread:** shard. A call runs to its end; SlotReferences and visitors must not call back into
 * the map, except that visit() of forEachSector() may look things up.
 */
import { invariant } from '../base/invariant.ts';
import { ChunkMapBalance } from './chunk-map-balance.ts';
import { findProblems } from './chunk-map-check.ts';
import {
  CHECKSUMS_WORD,
  CHUNK_MASK,
  CHUNK_SHIFT,
  ChunkMapNodes,
  COUNT_MASK,
  EMPTY_ROOT,
  KEYS_WORD,
  LEAF_ENTRIES_MAX,
  LOCATIONS_WORD,
  NODE_WORDS,
  SECTOR_LIMIT,
  SHAPE_WORD,
  type SlotReferences,
} from './chunk-map-nodes.ts';
import { ChunkMapPath } from './chunk-map-path.ts';
import { ChunkMapRelease } from './chunk-map-release.ts';
import { ChunkMapRelocation, type SlotMover } from './chunk-map-relocation.ts';
import { ChunkMapRemoval } from './chunk-map-removal.ts';
import {
  entryIndexFor,
  findLeaf,
  firstMappedFrom,
  type LeafSeek,
  seekLeaf,
} from './chunk-map-search.ts';

// A constant of the module itself is compiled into the code; one of another module is loaded at
// every use, which costs a third of a lookup.
const CHECKSUMS = CHECKSUMS_WORD;
const KEYS = KEYS_WORD;
const LOCATIONS = LOCATIONS_WORD;
const SHAPE = SHAPE_WORD;
const MASK = CHUNK_MASK;
const SHIFT = CHUNK_SHIFT;
const COUNT = COUNT_MASK;
const WORDS = NODE_WORDS;
const ENTRIES_MAX = LEAF_ENTRIES_MAX;

export { EMPTY_ROOT, type SlotMover, type SlotReferences };

/** What a lookup found: a hole, or consecutive sectors whose slots are consecutive too. */
export interface ChunkRun {
  /** True: sectorCount unmapped sectors. */
  isHole: boolean;
  sectorCount: number;
  /** Slot of the first sector; meaningless for a hole. */
  location: number;
  /** Checksums of the run's sectors, at indexes 0..sectorCount-1; meaningless for a hole. */
  readonly checksums: Uint32Array;
}

/** A run to be filled by lookup(), of at most so many mapped sectors. */
export function createChunkRun(sectorCountMax: number): ChunkRun {
  invariant(sectorCountMax > 0, 'a run has at least one sector');
  const checksums = new Uint32Array(sectorCountMax);
  return { isHole: true, sectorCount: 0, location: 0, checksums };
}

export class ChunkMap {
  /** The arena. For chunk-map-dump.ts; others have no business with nodes. */
  readonly nodes: ChunkMapNodes;
  readonly #path: ChunkMapPath;
  readonly #balance: ChunkMapBalance;
  readonly #release: ChunkMapRelease;
  readonly #removal: ChunkMapRemoval;
  readonly #relocation: ChunkMapRelocation;
  readonly #seek: LeafSeek = { leafEnd: SECTOR_LIMIT };

  /** @param slots told of every leaf entry that begins or ceases to exist, in all trees */
  constructor(slots: SlotReferences) {
    this.nodes = new ChunkMapNodes(slots);
    this.#path = new ChunkMapPath(this.nodes);
    this.#balance = new ChunkMapBalance(this.nodes, this.#path);
    this.#release = new ChunkMapRelease(this.nodes);
    this.#removal = new ChunkMapRemoval(this.nodes, this.#path, this.#balance, this.#release);
    this.#relocation = new ChunkMapRelocation(this.nodes);
  }

  /** Bytes of memory held: arena, used or not, and tables. */
  get byteCount(): number {
    return this.nodes.byteCount + this.#balance.byteCount;
  }

  /** Live nodes of all trees. */
  get nodeCount(): number {
    return this.nodes.nodeCount;
  }

  /**
   * Fills run with what begins at a sector: one hole, or mapped sectors with consecutive locations.
   * A mapped run ends at the latest at run.checksums.length sectors or where its leaf ends; a hole
   * ends at the next mapped sector or at sectorCountMax. The caller goes on from where it ended.
   *
   * @param sector 0 <= sector < 2^32
   * @param sectorCountMax > 0, and sector + sectorCountMax <= 2^32
   */
  lookup(root: number, sector: number, sectorCountMax: number, run: ChunkRun): void {
    invariant(sectorCountMax > 0 && sector >= 0, 'a lookup is of at least one sector');
    invariant(sector + sectorCountMax <= SECTOR_LIMIT, 'a tree has 2^32 sectors');
    if (root === EMPTY_ROOT) {
      run.isHole = true;
      run.sectorCount = sectorCountMax;
      return;
    }
    const leaf = findLeaf(this.nodes, root, sector);
    const words = this.nodes.chunks[leaf >>> SHIFT]!;
    const base = (leaf & MASK) * WORDS;
    const count = words[base + SHAPE]! & COUNT;
    const index = entryIndexFor(words, base, sector);
    if (index === count || words[base + KEYS + index] !== sector) {
      const next =
        index < count
          ? words[base + KEYS + index]!
          : firstMappedFrom(this.nodes, root, sector, this.#seek);
      invariant(next > sector, 'a hole has a length');
      run.isHole = true;
      run.sectorCount = Math.min(sectorCountMax, next - sector);
      return;
    }
    const location = words[base + LOCATIONS + index]!;
    const lengthMax = Math.min(sectorCountMax, count - index, run.checksums.length);
    let length = 0;
    do {
      run.checksums[length] = words[base + CHECKSUMS + index + length]!;
      length++;
    } while (
      length < lengthMax &&
      words[base + KEYS + index + length] === sector + length &&
      words[base + LOCATIONS + index + length] === location + length
    );
    run.isHole = false;
    run.sectorCount = length;
    run.location = location;
  }

  /**
   * Maps sectors to consecutive locations. Entries they had before are released.
   *
   * @param root owned by the caller; consumed
   * @param sector sector + sectorCount <= 2^32, and location + sectorCount <= 2^32
   * @param checksums borrowed for the call; those of the sectors lie from index `at`
   * @returns the new root, owned by the caller
   */
  assign(
    root: number,
    sector: number,
    sectorCount: number,
    location: number,
    checksums: Uint32Array,
    at: number,
  ): number {
    invariant(sectorCount > 0 && sector >= 0, 'at least one sector is assigned');
    invariant(sector + sectorCount <= SECTOR_LIMIT, 'a tree has 2^32 sectors');
    invariant(location >= 0 && location + sectorCount <= SECTOR_LIMIT, 'locations are 32 bits');
    invariant(at >= 0 && at + sectorCount <= checksums.length, 'every sector has a checksum');
    const path = this.#path;
    let owned = root === EMPTY_ROOT ? this.nodes.allocate(0) : root;
    let done = 0;
    while (done < sectorCount) {
      owned = path.descend(owned, sector + done);
      const leaf = path.node[path.depth]!;
      const words = this.nodes.chunks[leaf >>> SHIFT]!;
      const base = (leaf & MASK) * WORDS;
      const leafCount = words[base + SHAPE]! & COUNT;
      const from = entryIndexFor(words, base, sector + done);
      const count = Math.min(sectorCount - done, path.high - (sector + done), ENTRIES_MAX);
      invariant(count > 0, 'the leaf has a place for the sector');
      const isOverwrite =
        from + count <= leafCount &&
        words[base + KEYS + from] === sector + done &&
        words[base + KEYS + from + count - 1] === sector + done + count - 1;
      if (isOverwrite) {
        this.#overwrite(leaf, from, count, location + done, checksums, at + done);
      } else {
        owned = this.#insert(from, sector + done, count, location + done, checksums, at + done);
      }
      done += count;
    }
    return owned;
  }

  /**
   * Unmaps sectors. Cost grows with what is mapped there and not shared, not with the range.
   *
   * @param root owned by the caller; consumed
   * @param sector sector + sectorCount <= 2^32
   * @returns the new root, owned by the caller; EMPTY_ROOT if nothing is left
   */
  remove(root: number, sector: number, sectorCount: number): number {
    invariant(sectorCount > 0 && sector >= 0, 'at least one sector is removed');
    invariant(sector + sectorCount <= SECTOR_LIMIT, 'a tree has 2^32 sectors');
    if (root === EMPTY_ROOT) return EMPTY_ROOT;
    return this.#removal.remove(root, sector, sector + sectorCount);
  }

  /** One more owner of a root. */
  share(root: number): void {
    if (root !== EMPTY_ROOT) this.nodes.share(root);
  }

  /** One owner less of a root; frees what nobody owns any more. Cost: the nodes freed. */
  release(root: number): void {
    this.#release.begin(root);
    this.#release.step(Number.POSITIVE_INFINITY);
  }

  /**
   * release(), a few nodes at a time: a tree of many GiB has so many that freeing all of them would
   * hold up the thread.
   *
   * @returns to be asked for steps until it answers true; then all of the tree's slots are released
   */
  releaseInSteps(root: number): ChunkMapRelease {
    const release = new ChunkMapRelease(this.nodes);
    release.begin(root);
    return release;
  }

  /** Number of mapped sectors in a range. Cost: the leaves in the range. */
  countMapped(root: number, sector: number, sectorCount: number): number {
    if (root === EMPTY_ROOT) return 0;
    const end = sector + sectorCount;
    invariant(sector >= 0 && end <= SECTOR_LIMIT, 'a tree has 2^32 sectors');
    let mapped = 0;
    for (let start = sector; start < end; start = this.#seek.leafEnd) {
      const leaf = seekLeaf(this.nodes, root, start, this.#seek);
      invariant(this.#seek.leafEnd > start, 'a walk gets on');
      const words = this.nodes.chunks[leaf >>> SHIFT]!;
      const base = (leaf & MASK) * WORDS;
      mapped += entryIndexFor(words, base, end) - entryIndexFor(words, base, start);
    }
    return mapped;
  }

  /** Visits every mapped sector of a tree in ascending order. */
  forEachSector(
    root: number,
    visit: (sector: number, location: number, checksum: number) => void,
  ): void {
    if (root === EMPTY_ROOT) return;
    const seek: LeafSeek = { leafEnd: 0 };
    while (seek.leafEnd < SECTOR_LIMIT) {
      const start = seek.leafEnd;
      const leaf = seekLeaf(this.nodes, root, start, seek);
      invariant(seek.leafEnd > start, 'a walk gets on');
      const words = this.nodes.chunks[leaf >>> SHIFT]!;
      const base = (leaf & MASK) * WORDS;
      const count = words[base + SHAPE]! & COUNT;
      for (let i = 0; i < count; i++) {
        visit(words[base + KEYS + i]!, words[base + LOCATIONS + i]!, words[base + CHECKSUMS + i]!);
      }
    }
  }

  /** Starts a relocation pass: see chunk-map-relocation.ts for what it promises. */
  beginRelocation(): void {
    this.#relocation.begin();
  }

  /**
   * Offers the entries of up to leafBudget leaves to the mover. Where it answers another location
   * the entry is changed in place, in all trees at once: acquire of the new slot, then release of
   * the old one. Maps may be changed between steps.
   *
   * @returns true when every entry has been offered
   * @throws what mover.move() throws; the pass stays active and the step may be repeated
   */
  relocateStep(leafBudget: number, mover: SlotMover): boolean {
    return this.#relocation.step(leafBudget, mover);
  }

  /** Ends a pass, complete or not. */
  endRelocation(): void {
    this.#relocation.end();
  }

  /** Checks the structure of a tree: one sentence for everything that breaks a rule. */
  checkTree(root: number): string[] {
    return findProblems(this.nodes, root);
  }

  /** New references for count sectors a leaf has entries for, from an index on. */
  #overwrite(
    leaf: number,
    from: number,
    count: number,
    location: number,
    checksums: Uint32Array,
    at: number,
  ): void {
    const slots = this.nodes.slots;
    const words = this.nodes.chunks[leaf >>> SHIFT]!;
    const locations = (leaf & MASK) * WORDS + LOCATIONS + from;
    const targets = (leaf & MASK) * WORDS + CHECKSUMS + from;
    for (let i = 0; i < count; i++) {
      const replaced = words[locations + i]!;
      slots.acquire(location + i);
      words[locations + i] = location + i;
      words[targets + i] = checksums[at + i]!;
      slots.release(replaced);
    }
  }

  /** Puts count entries at an index of the leaf at the end of the path, over those they replace. */
  #insert(
    from: number,
    sector: number,
    count: number,
    location: number,
    checksums: Uint32Array,
    at: number,
  ): number {
    const nodes = this.nodes;
    const leaf = this.#path.node[this.#path.depth]!;
    const words = nodes.chunks[leaf >>> SHIFT]!;
    const base = (leaf & MASK) * WORDS;
    const leafCount = words[base + SHAPE]! & COUNT;
    const to = from === leafCount ? from : entryIndexFor(words, base, sector + count);
    for (let i = 0; i < count; i++) nodes.slots.acquire(location + i);
    nodes.releaseSlots(leaf, from, to);
    if (leafCount - (to - from) + count > ENTRIES_MAX) {
      const staged = this.#balance.staged;
      for (let i = 0; i < count; i++) {
        staged[i] = sector + i;
        staged[ENTRIES_MAX + i] = location + i;
        staged[2 * ENTRIES_MAX + i] = checksums[at + i]!;
      }
      this.#balance.stagedCount = count;
      return this.#balance.splice(from, to);
    }
    nodes.reshape(leaf, from, to, count);
    for (let i = 0; i < count; i++) {
      words[base + KEYS + from + i] = sector + i;
      words[base + LOCATIONS + from + i] = location + i;
      words[base + CHECKSUMS + from + i] = checksums[at + i]!;
    }
    return this.#path.node[0]!;
  }
}
