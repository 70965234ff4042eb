/**
 * Unmapping a range of a chunk map.
 *
 * 1. Only what is mapped is walked: every turn looks up the first mapped sector of the range and
 *    removes something there, so a trim of a large hole is two lookups and copies nothing.
 * 2. A subtree that lies in the range as a whole is released as a whole, without being copied,
 *    however many other trees share it. Node by node it goes only along the two ends of the range.
 *
 * **Thread:** shard.
 */
import { invariant } from '../base/invariant.ts';
import type { ChunkMapBalance } from './chunk-map-balance.ts';
import {
  CHUNK_MASK,
  CHUNK_SHIFT,
  type ChunkMapNodes,
  EMPTY_ROOT,
  NODE_WORDS,
  SECTOR_LIMIT,
} from './chunk-map-nodes.ts';
import type { ChunkMapPath } from './chunk-map-path.ts';
import type { ChunkMapRelease } from './chunk-map-release.ts';
import {
  childIndexFor,
  entryIndexFor,
  firstMappedFrom,
  type LeafSeek,
  largestSector,
  smallestSector,
} from './chunk-map-search.ts';

export class ChunkMapRemoval {
  readonly #nodes: ChunkMapNodes;
  readonly #path: ChunkMapPath;
  readonly #balance: ChunkMapBalance;
  readonly #release: ChunkMapRelease;
  readonly #seek: LeafSeek = { leafEnd: SECTOR_LIMIT };

  constructor(
    nodes: ChunkMapNodes,
    path: ChunkMapPath,
    balance: ChunkMapBalance,
    release: ChunkMapRelease,
  ) {
    this.#nodes = nodes;
    this.#path = path;
    this.#balance = balance;
    this.#release = release;
  }

  /**
   * Unmaps sectors [sector, sectorEnd) of a tree that is not empty.
   *
   * @param root owned by the caller; consumed
   * @returns the new root, owned by the caller
   */
  remove(root: number, sector: number, sectorEnd: number): number {
    const nodes = this.#nodes;
    // Nothing is mapped beyond the ends of a tree, so a range may be stretched over them: then
    // subtrees at the ends are seen to be inside it.
    const start = sector <= smallestSector(nodes, root) ? 0 : sector;
    const end = sectorEnd > largestSector(nodes, root) ? SECTOR_LIMIT : sectorEnd;
    if (start === 0 && end === SECTOR_LIMIT) {
      this.#releaseTree(root);
      return EMPTY_ROOT;
    }
    let owned = root;
    for (;;) {
      // Both ends lie in the tree or beyond one of its ends, so it is never emptied here.
      invariant(owned !== EMPTY_ROOT, 'a part of a tree is not all of it');
      const first = firstMappedFrom(nodes, owned, start, this.#seek);
      if (first >= end) return owned;
      owned = this.#removeAt(owned, first, start, end);
    }
  }

  /**
   * Removes what is mapped in [start, end) near its first mapped sector: the whole subtrees that
   * begin there, else entries of one leaf.
   */
  #removeAt(root: number, first: number, start: number, end: number): number {
    const nodes = this.#nodes;
    const path = this.#path;
    invariant(start <= first && first < end, 'something in the range is mapped');
    path.start(root);
    for (;;) {
      const node = path.node[path.depth]!;
      const words = nodes.chunks[node >>> CHUNK_SHIFT]!;
      const base = (node & CHUNK_MASK) * NODE_WORDS;
      if (nodes.levelOf(node) === 0) {
        const from = entryIndexFor(words, base, first);
        const to = entryIndexFor(words, base, end);
        invariant(from < to, 'the first mapped sector is in this leaf');
        nodes.releaseSlots(node, from, to);
        nodes.reshape(node, from, to, 0);
        return this.#balance.settle(path.depth);
      }
      const from = childIndexFor(words, base, first);
      const to = this.#firstOutside(node, from, start, end);
      if (to > from) {
        for (let i = from; i < to; i++) this.#releaseTree(nodes.childAt(node, i));
        nodes.reshape(node, from, to, 0);
        this.#balance.mergeAround(node, from);
        return this.#balance.settle(path.depth);
      }
      path.enter(from);
    }
  }

  #releaseTree(root: number): void {
    this.#release.begin(root);
    this.#release.step(Number.POSITIVE_INFINITY);
  }

  /** Index of the first child, from one on, that is not wholly in [start, end). */
  #firstOutside(node: number, from: number, start: number, end: number): number {
    const nodes = this.#nodes;
    const low = from > 0 ? nodes.keyAt(node, from) : this.#path.low;
    if (low < start) return from;
    let to = from;
    while (to < nodes.countOf(node) && this.#path.endOfChild(to) <= end) to++;
    return to;
  }
}
