/**
 * The nodes of all chunk maps of a shard: one arena, reference counts, search inside a node.
 *
 * A node is NODE_WORDS unsigned 32-bit words of a chunk of CHUNK_NODES nodes. Node n lies in chunk
 * n >>> 8 at word (n & 255) * NODE_WORDS. Node 0 does not exist: it is the empty map.
 *
 *   word 0        owners: roots held by callers and parents that refer to the node; 0 = free
 *   word 1        level << 16 | count of entries; in a free node the next free node of the chunk
 *   word 2        link of the revisit list (chunk-map-relocation.ts); keeps its value in a free
 *   node leaf, level 0, up to 64 entries in ascending order of sector
 *     words 3..66     sectors
 *     words 67..130   locations
 *     words 131..194  checksums
 *   inner node, level 1.., up to 96 entries
 *     words 3..98     keys: key i <= every sector below child i, and > every sector below child
 *                     i - 1. Key 0 has no meaning: child 0 begins where the node begins
 *     words 99..194   children, nodes of level - 1
 *
 * 1. A node is changed only while it has one owner and every node above it has one owner. The one
 *    exception is relocation, which changes where a sector lies and not what it is.
 * 2. Every leaf entry holds one reference to its slot: acquired when the entry begins to exist in a
 *    leaf, released when it ceases to. A slot is acquired for its new place before it is released
 *    for its old one, so a moving reference never touches zero.
 * 3. A node has at least one entry, unless it is being filled or emptied within one call.
 * 4. Two neighbours (children i and i + 1 of one node) have more than half a node between them:
 *    so nodes are a quarter full on average at worst, and a tree of 2^32 sectors has 7 levels.
 *
 * Chunks are allocated one by one, so growth copies nothing; a chunk without live nodes is dropped.
 *
 * **Thread:** shard.
 */
import { invariant } from '../base/invariant.ts';

/** Told of every leaf entry that begins or ceases to refer to a slot. */
export interface SlotReferences {
  acquire(location: number): void;
  release(location: number): void;
}

/** The empty map. Needs no ownership: share() and release() of it do nothing. */
export const EMPTY_ROOT = 0;
/** One more than the largest sector of a tree. */
export const SECTOR_LIMIT: number = 2 ** 32;

export const LEAF_ENTRIES_MAX = 64;
export const INNER_ENTRIES_MAX = 96;
/** Levels a tree can have. */
export const LEVELS_MAX = 8;

export const OWNERS_WORD = 0;
export const SHAPE_WORD = 1;
export const LINK_WORD = 2;
export const KEYS_WORD = 3;
export const LOCATIONS_WORD: number = KEYS_WORD + LEAF_ENTRIES_MAX;
export const CHECKSUMS_WORD: number = LOCATIONS_WORD + LEAF_ENTRIES_MAX;
export const CHILDREN_WORD: number = KEYS_WORD + INNER_ENTRIES_MAX;
export const NODE_WORDS: number = CHECKSUMS_WORD + LEAF_ENTRIES_MAX;

export const CHUNK_SHIFT = 8;
export const CHUNK_NODES: number = 2 ** CHUNK_SHIFT;
export const CHUNK_MASK: number = CHUNK_NODES - 1;
const CHUNK_BYTES = CHUNK_NODES * NODE_WORDS * 4;
/** Node numbers stay below 2^31, so that V8 keeps them as small integers. */
const CHUNKS_MAX = 2 ** (31 - CHUNK_SHIFT);
/** Heads, counts and list places of one chunk, 8 bytes each, for byteCount. */
const CHUNK_TABLE_BYTES = 5 * 8;

export const LEVEL_SHIFT = 16;
export const COUNT_MASK = 0xffff;

invariant(CHILDREN_WORD + INNER_ENTRIES_MAX === NODE_WORDS, 'both kinds of node fill the words');
// Fewest nodes a level by rule 4, below a root of two children: 49, 1,151, 27 thousand, 633
// thousand, 14.8 million. An eighth level would be 348 million leaves, and 5.5e9 sectors > 2^32.
invariant(LEVELS_MAX > 7, 'no tree outgrows the stacks');
invariant(LEAF_ENTRIES_MAX < COUNT_MASK && INNER_ENTRIES_MAX < COUNT_MASK, 'counts have 16 bits');

/** Last link of the revisit list; a link of 0 means that the node is not in the list. */
export const REVISIT_END = 0xffffffff;

const NO_CHUNK = new Uint32Array(0);

/** Entries a node of this level can have. */
export function capacityOf(level: number): number {
  return level === 0 ? LEAF_ENTRIES_MAX : INNER_ENTRIES_MAX;
}

/** Two neighbours of this level have more entries than this between them (rule 4). */
export function pairFloorOf(level: number): number {
  return capacityOf(level) >>> 1;
}

/** Columns of entries: sector, location, checksum; or key, child. */
export function columnsOf(level: number): number {
  return level === 0 ? 3 : 2;
}

export class ChunkMapNodes {
  /** Told of every leaf entry. */
  readonly slots: SlotReferences;
  /** Words of each chunk; a dropped chunk has none. */
  readonly chunks: Uint32Array[] = [];
  /** Live nodes of all trees. */
  nodeCount = 0;
  /** Relocation has visited every node below; 0 when no pass is active. */
  relocationCursor = 0;
  /** First node of the revisit list, or REVISIT_END. */
  revisitHead: number = REVISIT_END;

  /** First free node of each chunk, 0 = none. */
  readonly #freeHeads: number[] = [];
  readonly #liveCounts: number[] = [];
  /** 1 if the chunk stands in #roomy. */
  readonly #listed: number[] = [];
  /** Chunks that may have free nodes, without the open one. */
  readonly #roomy: number[] = [];
  /** Numbers of dropped chunks. */
  readonly #vacant: number[] = [];
  /** The chunk nodes are taken from. */
  #openChunk = 0;

  constructor(slots: SlotReferences) {
    this.slots = slots;
    this.#addChunk();
  }

  /** Bytes of the arena and its tables, used or not. */
  get byteCount(): number {
    const held = this.chunks.length - this.#vacant.length;
    return held * CHUNK_BYTES + this.chunks.length * CHUNK_TABLE_BYTES;
  }

  levelOf(node: number): number {
    return this.#word(node, SHAPE_WORD) >>> LEVEL_SHIFT;
  }

  countOf(node: number): number {
    return this.#word(node, SHAPE_WORD) & COUNT_MASK;
  }

  ownersOf(node: number): number {
    return this.#word(node, OWNERS_WORD);
  }

  /** Sector of a leaf's entry, key of an inner node's. */
  keyAt(node: number, index: number): number {
    return this.#word(node, KEYS_WORD + index);
  }

  setKey(node: number, index: number, key: number): void {
    const words = this.chunks[node >>> CHUNK_SHIFT]!;
    words[(node & CHUNK_MASK) * NODE_WORDS + KEYS_WORD + index] = key;
  }

  childAt(node: number, index: number): number {
    return this.#word(node, CHILDREN_WORD + index);
  }

  setChild(node: number, index: number, child: number): void {
    const words = this.chunks[node >>> CHUNK_SHIFT]!;
    words[(node & CHUNK_MASK) * NODE_WORDS + CHILDREN_WORD + index] = child;
  }

  /** The count of a node whose entries were written to its words. */
  setCount(node: number, count: number): void {
    const words = this.chunks[node >>> CHUNK_SHIFT]!;
    const shapeAt = (node & CHUNK_MASK) * NODE_WORDS + SHAPE_WORD;
    const level = words[shapeAt]! >>> LEVEL_SHIFT;
    invariant(count <= capacityOf(level), 'a node holds its entries');
    words[shapeAt] = (level << LEVEL_SHIFT) | count;
  }

  /** A node without entries and with one owner, the caller. */
  allocate(level: number): number {
    invariant(level < LEVELS_MAX, 'no tree has more than LEVELS_MAX levels');
    if (this.#freeHeads[this.#openChunk] === 0) this.#openNextChunk();
    const chunk = this.#openChunk;
    const node = this.#freeHeads[chunk]!;
    const words = this.chunks[chunk]!;
    const base = (node & CHUNK_MASK) * NODE_WORDS;
    invariant(words[base + OWNERS_WORD] === 0, 'a free node has no owner');
    this.#freeHeads[chunk] = words[base + SHAPE_WORD]!;
    words[base + OWNERS_WORD] = 1;
    words[base + SHAPE_WORD] = level << LEVEL_SHIFT;
    this.#liveCounts[chunk]!++;
    this.nodeCount++;
    return node;
  }

  /** Gives back a node whose entries were moved elsewhere or released. */
  free(node: number): void {
    const chunk = node >>> CHUNK_SHIFT;
    const words = this.chunks[chunk]!;
    const base = (node & CHUNK_MASK) * NODE_WORDS;
    invariant(words[base + OWNERS_WORD]! <= 1, 'a node with other owners is not freed');
    words[base + OWNERS_WORD] = 0;
    words[base + SHAPE_WORD] = this.#freeHeads[chunk]!;
    this.#freeHeads[chunk] = node;
    invariant(this.#liveCounts[chunk]! > 0, 'a chunk has the node that is freed');
    this.#liveCounts[chunk]!--;
    this.nodeCount--;
    if (chunk === this.#openChunk) return;
    if (this.#listed[chunk] === 0) {
      this.#listed[chunk] = 1;
      this.#roomy.push(chunk);
    }
    if (this.#liveCounts[chunk] === 0 && this.relocationCursor === 0) this.#dropChunk(chunk);
  }

  /** Drops the chunks that emptied while a relocation pass needed their links. */
  dropEmptyChunks(): void {
    for (let chunk = 0; chunk < this.chunks.length; chunk++) {
      if (this.#liveCounts[chunk] !== 0 || this.chunks[chunk] === NO_CHUNK) continue;
      if (chunk !== this.#openChunk) this.#dropChunk(chunk);
    }
  }

  /** One more owner. */
  share(node: number): void {
    const words = this.chunks[node >>> CHUNK_SHIFT]!;
    const ownersAt = (node & CHUNK_MASK) * NODE_WORDS + OWNERS_WORD;
    invariant(words[ownersAt]! > 0, 'only a live node is shared');
    words[ownersAt]!++;
  }

  /**
   * One owner less; returns how many are left. A node left with none still has its entries: see
   * chunk-map-release.ts.
   */
  disown(node: number): number {
    const words = this.chunks[node >>> CHUNK_SHIFT]!;
    const ownersAt = (node & CHUNK_MASK) * NODE_WORDS + OWNERS_WORD;
    invariant(words[ownersAt]! > 0, 'only a live node is released');
    return --words[ownersAt]!;
  }

  /** Releases the slots of entries [from, to) of a leaf. */
  releaseSlots(leaf: number, from: number, to: number): void {
    const words = this.chunks[leaf >>> CHUNK_SHIFT]!;
    const locations = (leaf & CHUNK_MASK) * NODE_WORDS + LOCATIONS_WORD;
    for (let i = from; i < to; i++) this.slots.release(words[locations + i]!);
  }

  /** One more owner for whatever the entries of a node refer to: slots, or children. */
  acquireEntries(node: number): void {
    const words = this.chunks[node >>> CHUNK_SHIFT]!;
    const base = (node & CHUNK_MASK) * NODE_WORDS;
    const count = words[base + SHAPE_WORD]! & COUNT_MASK;
    if (words[base + SHAPE_WORD]! >>> LEVEL_SHIFT === 0) {
      for (let i = 0; i < count; i++) this.slots.acquire(words[base + LOCATIONS_WORD + i]!);
    } else {
      for (let i = 0; i < count; i++) this.share(words[base + CHILDREN_WORD + i]!);
    }
  }

  /** The node itself if it has one owner, else a copy; the caller's ownership passes to it. */
  own(node: number): number {
    const source = this.chunks[node >>> CHUNK_SHIFT]!;
    const sourceBase = (node & CHUNK_MASK) * NODE_WORDS;
    if (source[sourceBase + OWNERS_WORD] === 1) return node;
    invariant(source[sourceBase + OWNERS_WORD]! > 1, 'only a live node is changed');
    const level = source[sourceBase + SHAPE_WORD]! >>> LEVEL_SHIFT;
    const count = source[sourceBase + SHAPE_WORD]! & COUNT_MASK;
    invariant(count > 0, 'a node of a tree has entries');
    const copy = this.allocate(level);
    const target = this.chunks[copy >>> CHUNK_SHIFT]!;
    const targetBase = (copy & CHUNK_MASK) * NODE_WORDS;
    const end = KEYS_WORD + columnsOf(level) * capacityOf(level);
    for (let column = KEYS_WORD; column < end; column += capacityOf(level)) {
      for (let i = column; i < column + count; i++) {
        target[targetBase + i] = source[sourceBase + i]!;
      }
    }
    target[targetBase + SHAPE_WORD] = source[sourceBase + SHAPE_WORD]!;
    this.acquireEntries(copy);
    this.disown(node);
    if (level === 0) this.received(copy);
    return copy;
  }

  /** The child at an index of a node with one owner, made to have one owner itself. */
  ownChild(parent: number, index: number): number {
    const words = this.chunks[parent >>> CHUNK_SHIFT]!;
    const base = (parent & CHUNK_MASK) * NODE_WORDS;
    invariant(words[base + OWNERS_WORD] === 1, 'only a node with one owner is changed');
    invariant(index < (words[base + SHAPE_WORD]! & COUNT_MASK), 'a child exists');
    const childAt = base + CHILDREN_WORD + index;
    const child = this.own(words[childAt]!);
    words[childAt] = child;
    return child;
  }

  /** A leaf was given entries of another: if relocation has passed it, it must be seen again. */
  received(leaf: number): void {
    if (leaf >= this.relocationCursor) return;
    const words = this.chunks[leaf >>> CHUNK_SHIFT]!;
    const linkAt = (leaf & CHUNK_MASK) * NODE_WORDS + LINK_WORD;
    if (words[linkAt] !== 0) return;
    words[linkAt] = this.revisitHead;
    this.revisitHead = leaf;
  }

  /**
   * Makes entries [from, to) a gap of another length, moving the ones behind. The caller has dealt
   * with their references and fills the gap.
   */
  reshape(node: number, from: number, to: number, length: number): void {
    const words = this.chunks[node >>> CHUNK_SHIFT]!;
    const base = (node & CHUNK_MASK) * NODE_WORDS;
    const level = words[base + SHAPE_WORD]! >>> LEVEL_SHIFT;
    const count = words[base + SHAPE_WORD]! & COUNT_MASK;
    const newCount = count - (to - from) + length;
    invariant(from <= to && to <= count, 'a gap is made of entries of the node');
    invariant(newCount <= capacityOf(level), 'a node has room for its entries');
    if (to < count && to - from !== length) {
      const columnWords = capacityOf(level);
      const end = base + KEYS_WORD + columnsOf(level) * columnWords;
      for (let column = base + KEYS_WORD; column < end; column += columnWords) {
        words.copyWithin(column + from + length, column + to, column + count);
      }
    }
    words[base + SHAPE_WORD] = (level << LEVEL_SHIFT) | newCount;
  }

  #word(node: number, word: number): number {
    return this.chunks[node >>> CHUNK_SHIFT]![(node & CHUNK_MASK) * NODE_WORDS + word]!;
  }

  #openNextChunk(): void {
    for (let chunk = this.#roomy.pop(); chunk !== undefined; chunk = this.#roomy.pop()) {
      this.#listed[chunk] = 0;
      if (this.#freeHeads[chunk] === 0) continue;
      this.#openChunk = chunk;
      return;
    }
    this.#addChunk();
  }

  #addChunk(): void {
    const chunk = this.#vacant.pop() ?? this.chunks.length;
    invariant(chunk < CHUNKS_MAX, 'the arena has numbers for its nodes');
    const words = new Uint32Array(CHUNK_NODES * NODE_WORDS);
    const firstNode = chunk << CHUNK_SHIFT;
    // Node 0 is no node: the list of chunk 0 starts at 1.
    const firstFree = chunk === 0 ? 1 : 0;
    for (let i = firstFree; i < CHUNK_NODES - 1; i++) {
      words[i * NODE_WORDS + SHAPE_WORD] = firstNode + i + 1;
    }
    this.chunks[chunk] = words;
    this.#freeHeads[chunk] = firstNode + firstFree;
    this.#liveCounts[chunk] = 0;
    this.#listed[chunk] ??= 0;
    this.#openChunk = chunk;
  }

  #dropChunk(chunk: number): void {
    // Its place in #roomy may stay: a dropped chunk has no free node and is passed over.
    invariant(chunk !== this.#openChunk, 'nodes are taken from a chunk that is there');
    this.chunks[chunk] = NO_CHUNK;
    this.#freeHeads[chunk] = 0;
    this.#vacant.push(chunk);
  }
}
