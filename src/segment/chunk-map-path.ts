/**
 * The way down a chunk map that is going to be changed.
 *
 * 1. Every node on the path has one owner: shared ones are replaced by copies on the way down
 *    (path copying). So whatever is on the path may be changed in place, and no other tree sees it.
 * 2. node[d + 1] is child index[d] of node[d], for every d < depth.
 * 3. All sectors below node[depth] are in [low, high).
 *
 * A path is good for one change: splits and merges leave it behind, and the next change goes down
 * again.
 *
 * **Thread:** shard. **Ownership:** start() consumes an owned root and the new root replaces it.
 */
import { invariant } from '../base/invariant.ts';
import {
  CHILDREN_WORD,
  CHUNK_MASK,
  CHUNK_SHIFT,
  type ChunkMapNodes,
  COUNT_MASK,
  KEYS_WORD,
  LEVEL_SHIFT,
  LEVELS_MAX,
  NODE_WORDS,
  OWNERS_WORD,
  SECTOR_LIMIT,
  SHAPE_WORD,
} from './chunk-map-nodes.ts';
import { childIndexFor } from './chunk-map-search.ts';

// A constant of the module itself is compiled into the code; one of another module is loaded at
// every use, which costs a third of a lookup.
const KEYS = KEYS_WORD;
const SHAPE = SHAPE_WORD;
const CHILDREN = CHILDREN_WORD;
const OWNERS = OWNERS_WORD;
const MASK = CHUNK_MASK;
const SHIFT = CHUNK_SHIFT;
const COUNT = COUNT_MASK;
const WORDS = NODE_WORDS;
const LEVEL = LEVEL_SHIFT;

export class ChunkMapPath {
  readonly node = new Uint32Array(LEVELS_MAX);
  readonly index = new Uint32Array(LEVELS_MAX);
  /** Place in node[] of the last node. */
  depth = 0;
  low = 0;
  high: number = SECTOR_LIMIT;
  readonly #nodes: ChunkMapNodes;

  constructor(nodes: ChunkMapNodes) {
    this.#nodes = nodes;
  }

  /**
   * Puts the root on the path. Consumes the caller's ownership; returns the root to own instead.
   */
  start(root: number): number {
    const owned = this.#nodes.own(root);
    this.node[0] = owned;
    this.depth = 0;
    this.low = 0;
    this.high = SECTOR_LIMIT;
    return owned;
  }

  /** Goes on to the child at an index of the last node. */
  enter(index: number): void {
    const parent = this.node[this.depth]!;
    invariant(index < this.#nodes.countOf(parent), 'a path goes to children that exist');
    invariant(this.depth + 1 < LEVELS_MAX, 'a path has room for every level');
    if (index > 0) this.low = this.#nodes.keyAt(parent, index);
    this.high = this.endOfChild(index);
    this.index[this.depth] = index;
    this.depth++;
    this.node[this.depth] = this.#nodes.ownChild(parent, index);
  }

  /** First sector behind the child at an index of the last node. */
  endOfChild(index: number): number {
    const parent = this.node[this.depth]!;
    return index + 1 < this.#nodes.countOf(parent)
      ? this.#nodes.keyAt(parent, index + 1)
      : this.high;
  }

  /** start(), then down to the leaf a sector is in, or would be in. Does not keep low. */
  descend(root: number, sector: number): number {
    const nodes = this.#nodes;
    const owned = nodes.own(root);
    let node = owned;
    let depth = 0;
    let high = SECTOR_LIMIT;
    for (;;) {
      this.node[depth] = node;
      const words = nodes.chunks[node >>> SHIFT]!;
      const base = (node & MASK) * WORDS;
      const shape = words[base + SHAPE]!;
      invariant(words[base + OWNERS] === 1, 'a node on the path has one owner');
      if (shape >>> LEVEL === 0) break;
      const index = childIndexFor(words, base, sector);
      if (index + 1 < (shape & COUNT)) high = words[base + KEYS + index + 1]!;
      this.index[depth] = index;
      depth++;
      const child = words[base + CHILDREN + index]!;
      node = nodes.own(child);
      if (node !== child) words[base + CHILDREN + index] = node;
    }
    this.depth = depth;
    this.high = high;
    return owned;
  }
}
