/**
 * Chunk maps as bytes: the checkpoint of a set of roots, and back.
 *
 * A dump is a stream of records and nothing else: no header, no trailer, no padding. Numbers are
 * unsigned, little-endian. One record is one node of a B+tree (chunk-map-nodes.ts):
 *
 *   offset  size        field
 *   0       1           kind: 1 = leaf, 2 = inner node
 *   1       1           level: 0 for a leaf; 1..7 for an inner node, one more than its children
 *   2       2           count of entries: leaf 1..64, inner node 1..96
 *   4       count * 12  leaf: entries of
 *                         0  4  sector, ascending
 *                         4  4  location, the slot its ciphertext is in
 *                         8  4  checksum of the ciphertext
 *   4       count * 4   inner node: ids of its children, in ascending order of their sectors
 *
 * The first record of the stream has id 1, the next 2, and so on; id 0 is the empty map. A record
 * is written once, however many parents or roots refer to it. The map of a root is read thus: id 0
 * maps nothing; a leaf maps what its entries say; an inner node maps what its children map.
 *
 * A stream is valid if
 * 1. every record is as above, and the last one ends with the stream;
 * 2. children come before parents: a child's id is less than that of the record that names it;
 * 3. sectors ascend within a leaf, and all sectors of a child are less than all of the next child;
 * 4. two neighbouring children have more than half a node of entries between them: 33 entries of
 *    leaves, 49 of inner nodes;
 * 5. every record is named by a later one or by a root, and an inner node that is a root has two
 *    children at least.
 *
 * What a stream does not say is the caller's to keep: version, checksum, length, ids of the roots.
 *
 * A dump may be taken in steps while maps change, because the nodes below a shared root do not
 * change. Locations may: a relocation pass between two steps moves them in place, so the dump then
 * names old places in one leaf and new ones in another. Both hold the same ciphertext as long as
 * the caller keeps slots until no durable dump names them.
 *
 * **Thread:** shard.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { ChunkMap } from './chunk-map.ts';
import {
  CHECKSUMS_WORD,
  CHUNK_MASK,
  CHUNK_NODES,
  CHUNK_SHIFT,
  type ChunkMapNodes,
  capacityOf,
  EMPTY_ROOT,
  INNER_ENTRIES_MAX,
  KEYS_WORD,
  LEAF_ENTRIES_MAX,
  LEVELS_MAX,
  LOCATIONS_WORD,
  NODE_WORDS,
  pairFloorOf,
} from './chunk-map-nodes.ts';
import { largestSector, smallestSector } from './chunk-map-search.ts';

const KIND_LEAF = 1;
const KIND_INNER = 2;
const HEAD_BYTES = 4;
const LEAF_ENTRY_BYTES = 12;
const CHILD_BYTES = 4;
export const RECORD_BYTES_MAX: number =
  HEAD_BYTES + Math.max(LEAF_ENTRIES_MAX * LEAF_ENTRY_BYTES, INNER_ENTRIES_MAX * CHILD_BYTES);
/** Records are handed over this many bytes at a time. */
const SINK_BYTES = 64 * 1024;

invariant(SINK_BYTES >= RECORD_BYTES_MAX, 'a record fits into the buffer');

/** Writes a set of trees, a few nodes at a time. */
export class ChunkMapDump {
  readonly #nodes: ChunkMapNodes;
  readonly #roots: readonly number[];
  readonly #rootIds: number[] = [];
  readonly #buffer = new Uint8Array(SINK_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);
  #filled = 0;
  #recordCount = 0;
  /** Ids of records that may be met again, by chunk of the arena; 0 = not written. */
  readonly #written = new Map<number, Uint32Array>();
  /** The way from a root to the node being written: #depth nodes and the ids of their children. */
  #depth = 0;
  readonly #pathNodes = new Uint32Array(LEVELS_MAX);
  readonly #pathCounts = new Uint32Array(LEVELS_MAX);
  readonly #pathIds = new Uint32Array(LEVELS_MAX * INNER_ENTRIES_MAX);

  /** @param roots owned until the dump is done; release them then */
  constructor(map: ChunkMap, roots: readonly number[]) {
    this.#nodes = map.nodes;
    this.#roots = roots;
  }

  /**
   * Goes on by up to nodeBudget nodes, written or met again.
   *
   * @param sink takes the next bytes of the stream, borrowed for the call
   * @returns true when the stream is complete
   * @throws what the sink throws; the dump is then of no use
   */
  step(nodeBudget: number, sink: (bytes: Uint8Array) => void): boolean {
    invariant(nodeBudget > 0, 'a step goes on by at least one node');
    for (let left = nodeBudget; left > 0 && this.#rootIds.length < this.#roots.length; left--) {
      if (SINK_BYTES - this.#filled < RECORD_BYTES_MAX) this.#hand(sink);
      this.#advance();
    }
    this.#hand(sink);
    return this.#rootIds.length === this.#roots.length;
  }

  /**
   * Ids of the roots, in the order they were given; 0 for EMPTY_ROOT. Valid when step() is true.
   */
  rootIds(): number[] {
    invariant(this.#rootIds.length === this.#roots.length, 'the dump is complete');
    return this.#rootIds.slice();
  }

  #hand(sink: (bytes: Uint8Array) => void): void {
    if (this.#filled > 0) sink(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }

  /** Goes on by one edge: to the next root, to the next child, or back with a record written. */
  #advance(): void {
    if (this.#depth === 0) {
      this.#arrive(this.#roots[this.#rootIds.length]!);
      return;
    }
    const last = this.#depth - 1;
    const node = this.#pathNodes[last]!;
    const idsDone = this.#pathCounts[last]!;
    if (idsDone < this.#nodes.countOf(node)) {
      this.#arrive(this.#nodes.childAt(node, idsDone));
      return;
    }
    const id = this.#writeInner(node, last * INNER_ENTRIES_MAX);
    this.#depth--;
    this.#deliver(id);
  }

  #arrive(node: number): void {
    if (node === EMPTY_ROOT) {
      this.#deliver(0);
      return;
    }
    const known = this.#written.get(node >>> CHUNK_SHIFT)?.[node & CHUNK_MASK] ?? 0;
    if (known > 0) {
      this.#deliver(known);
    } else if (this.#nodes.levelOf(node) === 0) {
      this.#deliver(this.#writeLeaf(node));
    } else {
      invariant(this.#depth < LEVELS_MAX, 'a path has room for every level');
      this.#pathNodes[this.#depth] = node;
      this.#pathCounts[this.#depth] = 0;
      this.#depth++;
    }
  }

  /** Gives the id of a written node to whoever led to it. */
  #deliver(id: number): void {
    if (this.#depth === 0) {
      this.#rootIds.push(id);
      return;
    }
    const last = this.#depth - 1;
    this.#pathIds[last * INNER_ENTRIES_MAX + this.#pathCounts[last]!] = id;
    this.#pathCounts[last]!++;
  }

  #writeLeaf(node: number): number {
    const words = this.#nodes.chunks[node >>> CHUNK_SHIFT]!;
    const base = (node & CHUNK_MASK) * NODE_WORDS;
    const count = this.#nodes.countOf(node);
    const id = this.#writeHead(node, KIND_LEAF);
    for (let i = 0; i < count; i++) {
      this.#writeWord(words[base + KEYS_WORD + i]!);
      this.#writeWord(words[base + LOCATIONS_WORD + i]!);
      this.#writeWord(words[base + CHECKSUMS_WORD + i]!);
    }
    return id;
  }

  #writeInner(node: number, idsAt: number): number {
    const count = this.#nodes.countOf(node);
    invariant(this.#pathCounts[this.#depth - 1] === count, 'all children were written before');
    const id = this.#writeHead(node, KIND_INNER);
    for (let i = 0; i < count; i++) this.#writeWord(this.#pathIds[idsAt + i]!);
    return id;
  }

  #writeHead(node: number, kind: number): number {
    this.#recordCount++;
    invariant(this.#recordCount < 2 ** 32, 'ids are 32 bits');
    // A node with one owner is met once; a root may be given twice whatever its owners.
    if (this.#nodes.ownersOf(node) > 1 || this.#depth <= 1) this.#remember(node);
    this.#view.setUint8(this.#filled, kind);
    this.#view.setUint8(this.#filled + 1, this.#nodes.levelOf(node));
    this.#view.setUint16(this.#filled + 2, this.#nodes.countOf(node), true);
    this.#filled += HEAD_BYTES;
    return this.#recordCount;
  }

  #writeWord(word: number): void {
    this.#view.setUint32(this.#filled, word, true);
    this.#filled += 4;
  }

  #remember(node: number): void {
    const chunk = node >>> CHUNK_SHIFT;
    let ids = this.#written.get(chunk);
    if (ids === undefined) {
      ids = new Uint32Array(CHUNK_NODES);
      this.#written.set(chunk, ids);
    }
    ids[node & CHUNK_MASK] = this.#recordCount;
  }
}

/** Reads a stream, in pieces of any size, and makes its trees. */
export class ChunkMapRestore {
  readonly #map: ChunkMap;
  readonly #nodes: ChunkMapNodes;
  /** The node made of each record, by id; each is owned by this reader until finish(). */
  readonly #nodeOf: number[] = [EMPTY_ROOT];
  readonly #record = new Uint8Array(RECORD_BYTES_MAX);
  readonly #view = new DataView(this.#record.buffer);
  /** Bytes of the record that have come, and that it has as far as is known. */
  #got = 0;
  #wanted = HEAD_BYTES;
  #isOver = false;

  constructor(map: ChunkMap) {
    this.#map = map;
    this.#nodes = map.nodes;
  }

  /**
   * Takes the next bytes of the stream, borrowed for the call.
   *
   * @throws PlaneError DataDirectoryCorrupt: the stream is not valid; what was made of it is gone
   */
  feed(bytes: Uint8Array): void {
    invariant(!this.#isOver, 'a restore is fed before it is over');
    let at = 0;
    while (at < bytes.length) {
      const part = Math.min(this.#wanted - this.#got, bytes.length - at);
      this.#record.set(bytes.subarray(at, at + part), this.#got);
      this.#got += part;
      at += part;
      if (this.#got < this.#wanted) return;
      if (this.#got === HEAD_BYTES) {
        this.#wanted = this.#recordBytes();
        continue;
      }
      this.#takeRecord();
      this.#got = 0;
      this.#wanted = HEAD_BYTES;
    }
  }

  /**
   * Ends the stream.
   *
   * @param rootIds ids of roots, as ChunkMapDump gave them
   * @returns the roots, in the same order, each owned by the caller once for every time it is named
   * @throws PlaneError DataDirectoryCorrupt, as feed()
   */
  finish(rootIds: readonly number[]): number[] {
    invariant(!this.#isOver, 'a restore is finished once');
    if (this.#got > 0) this.#fail(`the stream ends ${this.#got} bytes into a record`);
    const isRoot = new Set<number>();
    for (const id of rootIds) {
      const node = this.#nodeOf[id];
      if (node === undefined) this.#fail(`root ${id} of a stream of ${this.#count} records`);
      if (node === EMPTY_ROOT) continue;
      if (this.#nodes.levelOf(node) > 0 && this.#nodes.countOf(node) < 2) {
        this.#fail(`root ${id} has one child`);
      }
      isRoot.add(node);
    }
    for (let id = 1; id < this.#nodeOf.length; id++) {
      const node = this.#nodeOf[id]!;
      if (this.#nodes.ownersOf(node) === 1 && !isRoot.has(node)) {
        this.#fail(`nothing names record ${id}`);
      }
    }
    const roots = rootIds.map((id) => this.#nodeOf[id]!);
    for (const root of roots) this.#map.share(root);
    this.abandon();
    return roots;
  }

  /**
   * Gives up what was made of the stream so far, unless finish() has handed it over. Idempotent.
   */
  abandon(): void {
    this.#isOver = true;
    for (let id = 1; id < this.#nodeOf.length; id++) this.#map.release(this.#nodeOf[id]!);
    this.#nodeOf.length = 1;
  }

  get #count(): number {
    return this.#nodeOf.length - 1;
  }

  /** Checks the head of a record; returns the size of the record. */
  #recordBytes(): number {
    const kind = this.#view.getUint8(0);
    const level = this.#view.getUint8(1);
    const count = this.#view.getUint16(2, true);
    if (kind !== KIND_LEAF && kind !== KIND_INNER) this.#fail(`kind ${kind}`);
    if (level >= LEVELS_MAX || (level === 0) !== (kind === KIND_LEAF)) {
      this.#fail(`kind ${kind} with level ${level}`);
    }
    if (count === 0 || count > capacityOf(level)) this.#fail(`kind ${kind} with ${count} entries`);
    return HEAD_BYTES + count * (kind === KIND_LEAF ? LEAF_ENTRY_BYTES : CHILD_BYTES);
  }

  /** Makes a node of a whole record. */
  #takeRecord(): void {
    const level = this.#view.getUint8(1);
    const count = this.#view.getUint16(2, true);
    if (level === 0) this.#checkSectors(count);
    else this.#checkChildren(level, count);
    const node = this.#nodes.allocate(level);
    this.#nodes.reshape(node, 0, 0, count);
    const words = this.#nodes.chunks[node >>> CHUNK_SHIFT]!;
    const base = (node & CHUNK_MASK) * NODE_WORDS;
    for (let i = 0; i < count; i++) {
      if (level === 0) {
        const at = HEAD_BYTES + i * LEAF_ENTRY_BYTES;
        words[base + KEYS_WORD + i] = this.#view.getUint32(at, true);
        words[base + LOCATIONS_WORD + i] = this.#view.getUint32(at + 4, true);
        words[base + CHECKSUMS_WORD + i] = this.#view.getUint32(at + 8, true);
      } else {
        const child = this.#childOf(i);
        this.#nodes.setKey(node, i, smallestSector(this.#nodes, child));
        this.#nodes.setChild(node, i, child);
      }
    }
    this.#nodes.acquireEntries(node);
    if (level === 0) this.#nodes.received(node);
    this.#nodeOf.push(node);
  }

  #checkSectors(count: number): void {
    for (let i = 1; i < count; i++) {
      const before = this.#view.getUint32(HEAD_BYTES + (i - 1) * LEAF_ENTRY_BYTES, true);
      const sector = this.#view.getUint32(HEAD_BYTES + i * LEAF_ENTRY_BYTES, true);
      if (sector <= before) this.#fail(`sector ${sector} after ${before}`);
    }
  }

  #checkChildren(level: number, count: number): void {
    const nodes = this.#nodes;
    for (let i = 0; i < count; i++) {
      const id = this.#view.getUint32(HEAD_BYTES + i * CHILD_BYTES, true);
      if (id === 0 || id > this.#count) this.#fail(`child ${id}, not written before`);
      const child = this.#childOf(i);
      if (nodes.levelOf(child) !== level - 1) {
        this.#fail(`child ${id} of level ${nodes.levelOf(child)} below level ${level}`);
      }
      if (i === 0) continue;
      const before = this.#childOf(i - 1);
      if (smallestSector(nodes, child) <= largestSector(nodes, before)) {
        this.#fail(`sectors of child ${id} do not follow those of the one before`);
      }
      if (nodes.countOf(before) + nodes.countOf(child) <= pairFloorOf(level - 1)) {
        this.#fail(`child ${id} and the one before are too small to be two nodes`);
      }
    }
  }

  #childOf(index: number): number {
    return this.#nodeOf[this.#view.getUint32(HEAD_BYTES + index * CHILD_BYTES, true)]!;
  }

  /** The stream is not valid. Damage is found before a node is made of it. */
  #fail(problem: string): never {
    const detail = `chunk map dump, after record ${this.#count}: ${problem}`;
    this.abandon();
    throw new PlaneError('DataDirectoryCorrupt', detail);
  }
}
