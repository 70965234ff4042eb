/**
 * How nodes of a chunk map share out their entries: what happens when one overflows or runs low.
 *
 * Overflow, from the leaf up:
 *   room in the node               -> entries go in place
 *   room in a neighbour            -> the two nodes share all entries out evenly
 *   none                           -> a new node to the right takes the second half
 *   ... and if the new entries come last (a disk written in ascending order), the left node is
 *   filled up instead, so that it stays full; first, likewise the right one.
 * Looking at the neighbours before splitting keeps nodes 80 % full under random writes, where
 * splitting alone gives 69 % (bench/micro/chunk-map.bench.ts prints what it is).
 *
 * Running low, from the node up: a node without entries is freed; two neighbours that would fill
 * at most half a node become one. So rule 4 of chunk-map-nodes.ts holds after every change.
 *
 * Where two inner nodes become one, or share out, the last child of the one and the first of the
 * other become neighbours: their seam is looked at as if a child there had run low.
 *
 * A neighbour that other trees own too is copied like any node before it is changed. That costs one
 * node, which is what splitting beside it would have cost.
 *
 * **Thread:** shard.
 */
import { invariant } from '../base/invariant.ts';
import {
  CHUNK_MASK,
  CHUNK_SHIFT,
  type ChunkMapNodes,
  capacityOf,
  columnsOf,
  INNER_ENTRIES_MAX,
  KEYS_WORD,
  LEAF_ENTRIES_MAX,
  NODE_WORDS,
  pairFloorOf,
} from './chunk-map-nodes.ts';
import type { ChunkMapPath } from './chunk-map-path.ts';

/** Stands for no node: node 0 does not exist. */
const NO_NODE = 0;
/** Two nodes' entries, of either kind. */
const GATHER_ENTRIES_MAX = 2 * INNER_ENTRIES_MAX;
const COLUMNS_MAX = 3;
/** Counts of entries of a neighbour that is not there: full, so nothing is asked of it. */
const ABSENT_COUNT = 2 * INNER_ENTRIES_MAX;
/**
 * Two neighbours share out only if this part of a node stays free: else the next overflow is so
 * near that moving entries costs more than the fill is worth.
 */
const SHARE_SLACK_DIVISOR = 16;

invariant(GATHER_ENTRIES_MAX >= 2 * LEAF_ENTRIES_MAX, 'two leaves can be gathered');
invariant(SHARE_SLACK_DIVISOR > 2, 'a neighbour without room is more than half full');

export class ChunkMapBalance {
  /** Entries to be put into a node, column by column: the caller fills them in. */
  readonly staged = new Uint32Array(COLUMNS_MAX * LEAF_ENTRIES_MAX);
  stagedCount = 0;

  readonly #nodes: ChunkMapNodes;
  readonly #path: ChunkMapPath;
  readonly #gathered = new Uint32Array(COLUMNS_MAX * GATHER_ENTRIES_MAX);
  #gatheredCount = 0;

  constructor(nodes: ChunkMapNodes, path: ChunkMapPath) {
    this.#nodes = nodes;
    this.#path = path;
  }

  get byteCount(): number {
    return this.staged.byteLength + this.#gathered.byteLength;
  }

  /**
   * Puts the staged entries in the place of entries [from, to) of the leaf the path ends at. The
   * slots of both are the caller's to acquire and release.
   *
   * @returns the root of the tree
   */
  splice(from: number, to: number): number {
    const nodes = this.#nodes;
    const path = this.#path;
    invariant(this.stagedCount > 0, 'a splice has entries to put in');
    let low = from;
    let high = to;
    for (let depth = path.depth; ; depth--) {
      const node = path.node[depth]!;
      const total = nodes.countOf(node) - (high - low) + this.stagedCount;
      if (total <= capacityOf(nodes.levelOf(node))) {
        nodes.reshape(node, low, high, this.stagedCount);
        this.#unstage(node, low);
        return path.node[0]!;
      }
      const added = this.#overflow(depth, low, high);
      if (added === NO_NODE) return this.settle(depth - 1);
      if (depth === 0) return this.#growRoot(node, added);
      this.stagedCount = 1;
      this.staged[0] = nodes.keyAt(added, 0);
      this.staged[LEAF_ENTRIES_MAX] = added;
      low = path.index[depth - 1]! + 1;
      high = low;
    }
  }

  /**
   * Makes good for entries that were taken out of the node at a depth of the path: see the head.
   *
   * @returns the root of the tree
   */
  settle(fromDepth: number): number {
    const nodes = this.#nodes;
    const path = this.#path;
    for (let depth = fromDepth; depth > 0; depth--) {
      const parent = path.node[depth - 1]!;
      const index = path.index[depth - 1]!;
      const countBefore = nodes.countOf(parent);
      if (nodes.countOf(path.node[depth]!) === 0) {
        nodes.free(path.node[depth]!);
        nodes.reshape(parent, index, index + 1, 0);
      }
      this.mergeAround(parent, index);
      if (nodes.countOf(parent) === countBefore) return path.node[0]!;
    }
    return this.#shrinkRoot(path.node[0]!);
  }

  /** Merges the child at an index with its neighbours while two of them fit in half a node. */
  mergeAround(parent: number, at: number): void {
    const nodes = this.#nodes;
    const floor = pairFloorOf(nodes.levelOf(parent) - 1);
    let index = at;
    for (;;) {
      const count = nodes.countOf(parent);
      if (index > 0 && index < count && this.#pairCount(parent, index - 1) <= floor) {
        index--;
        this.#merge(parent, index);
      } else if (index + 1 < count && this.#pairCount(parent, index) <= floor) {
        this.#merge(parent, index);
      } else {
        return;
      }
    }
  }

  /**
   * Deals with a node that has too many entries: [low, high) replaced by the staged ones.
   *
   * @returns the new node to the right of it, or NO_NODE if a neighbour took part of the entries
   */
  #overflow(depth: number, low: number, high: number): number {
    const nodes = this.#nodes;
    const node = this.#path.node[depth]!;
    const count = nodes.countOf(node);
    const isRoot = depth === 0;
    const parent = isRoot ? NO_NODE : this.#path.node[depth - 1]!;
    const index = isRoot ? 0 : this.#path.index[depth - 1]!;
    const total = count - (high - low) + this.stagedCount;
    const neighbour = isRoot ? index : this.#neighbourWithRoom(parent, index, total);
    if (neighbour === index) return this.#split(node, low, high);

    const leftIndex = Math.min(index, neighbour);
    const left = nodes.ownChild(parent, leftIndex);
    const right = nodes.ownChild(parent, leftIndex + 1);
    this.#gatheredCount = 0;
    if (left !== node) this.#gather(left, 0, nodes.countOf(left));
    const leftCount = left === node ? total : this.#gatheredCount;
    this.#gatherChanged(node, low, high);
    if (right !== node) this.#gather(right, 0, nodes.countOf(right));
    this.#nameSeam(parent, leftIndex + 1, leftCount);
    const level = nodes.levelOf(node);
    let cut = this.#cutFor(level, low === count, high === 0);
    if (!this.#arePairs(parent, leftIndex, cut)) cut = this.#gatheredCount >>> 1;
    invariant(cut !== leftCount, 'the node that had too many entries gives some away');
    this.#scatter(left, 0, cut);
    this.#scatter(right, cut, this.#gatheredCount);
    invariant(nodes.keyAt(left, 0) < nodes.keyAt(right, 0), 'nodes ascend');
    nodes.setKey(parent, leftIndex + 1, nodes.keyAt(right, 0));
    if (leftCount < cut) this.#joinSeam(left, leftCount);
    else this.#joinSeam(right, leftCount - cut);
    this.mergeAround(parent, leftIndex + 1);
    this.mergeAround(parent, leftIndex);
    return NO_NODE;
  }

  /**
   * Makes two nodes of one, as #overflow(); returns the one to the right. However few entries one
   * of them gets, it and its outer neighbour are more than half a node: that neighbour had no room
   * for them.
   */
  #split(node: number, low: number, high: number): number {
    const nodes = this.#nodes;
    const level = nodes.levelOf(node);
    const count = nodes.countOf(node);
    const added = nodes.allocate(level);
    if (low === count && count === capacityOf(level)) {
      // New entries behind a full node: nothing in it has to move.
      nodes.reshape(added, 0, 0, this.stagedCount);
      this.#unstage(added, 0);
      return added;
    }
    this.#gatheredCount = 0;
    this.#gatherChanged(node, low, high);
    const cut = this.#cutFor(level, low === count, high === 0);
    this.#scatter(node, 0, cut);
    this.#scatter(added, cut, this.#gatheredCount);
    return added;
  }

  /** Index of the emptier neighbour if it and a node of total entries can share, else index. */
  #neighbourWithRoom(parent: number, index: number, total: number): number {
    const capacity = capacityOf(this.#nodes.levelOf(parent) - 1);
    const room = 2 * capacity - Math.floor(capacity / SHARE_SLACK_DIVISOR) - total;
    const left = this.#childCount(parent, index - 1);
    const right = this.#childCount(parent, index + 1);
    if (Math.min(left, right) > room) return index;
    return left < right ? index - 1 : index + 1;
  }

  /** How many of the gathered entries go to the left one of two nodes. */
  #cutFor(level: number, isLast: boolean, isFirst: boolean): number {
    const capacity = capacityOf(level);
    const total = this.#gatheredCount;
    invariant(total > capacity && total <= 2 * capacity, 'two nodes are needed and enough');
    if (isLast) return capacity;
    return isFirst ? total - capacity : total >>> 1;
  }

  /** Whether rule 4 would hold on both sides of two neighbours cut so. */
  #arePairs(parent: number, leftIndex: number, cut: number): boolean {
    const floor = pairFloorOf(this.#nodes.levelOf(parent) - 1);
    const outerLeft = this.#childCount(parent, leftIndex - 1);
    const outerRight = this.#childCount(parent, leftIndex + 2);
    return outerLeft + cut > floor && this.#gatheredCount - cut + outerRight > floor;
  }

  /** Entries of a child, ABSENT_COUNT if there is no such child. */
  #childCount(parent: number, index: number): number {
    const nodes = this.#nodes;
    if (index < 0 || index >= nodes.countOf(parent)) return ABSENT_COUNT;
    return nodes.countOf(nodes.childAt(parent, index));
  }

  #pairCount(parent: number, index: number): number {
    return this.#childCount(parent, index) + this.#childCount(parent, index + 1);
  }

  /** Moves what the child behind an index has into the child at the index. */
  #merge(parent: number, index: number): void {
    const nodes = this.#nodes;
    const left = nodes.ownChild(parent, index);
    const right = nodes.childAt(parent, index + 1);
    invariant(
      nodes.levelOf(left) === nodes.levelOf(right),
      'children of one node are of one level',
    );
    this.#gatheredCount = 0;
    this.#gather(left, 0, nodes.countOf(left));
    const leftCount = this.#gatheredCount;
    this.#gather(right, 0, nodes.countOf(right));
    this.#nameSeam(parent, index + 1, leftCount);
    if (nodes.ownersOf(right) === 1) {
      nodes.free(right);
    } else {
      nodes.acquireEntries(right);
      nodes.disown(right);
    }
    this.#scatter(left, 0, this.#gatheredCount);
    nodes.reshape(parent, index + 1, index + 2, 0);
    this.#joinSeam(left, leftCount);
  }

  /** Merges the children on both sides of a seam of two inner nodes, if they run low. */
  #joinSeam(node: number, index: number): void {
    if (this.#nodes.levelOf(node) > 0) this.mergeAround(node, index);
  }

  #growRoot(left: number, right: number): number {
    const nodes = this.#nodes;
    invariant(nodes.levelOf(left) === nodes.levelOf(right), 'children of a root are of one level');
    const root = nodes.allocate(nodes.levelOf(left) + 1);
    nodes.reshape(root, 0, 0, 2);
    nodes.setKey(root, 0, 0);
    nodes.setChild(root, 0, left);
    nodes.setKey(root, 1, nodes.keyAt(right, 0));
    nodes.setChild(root, 1, right);
    return root;
  }

  #shrinkRoot(from: number): number {
    const nodes = this.#nodes;
    let root = from;
    while (nodes.levelOf(root) > 0 && nodes.countOf(root) === 1) {
      // The reference its parent held to the child becomes the caller's.
      const child = nodes.childAt(root, 0);
      nodes.free(root);
      root = child;
    }
    invariant(nodes.countOf(root) > 0, 'a tree that is emptied is released as a whole');
    return root;
  }

  #gather(node: number, from: number, to: number): void {
    const words = this.#nodes.chunks[node >>> CHUNK_SHIFT]!;
    const base = (node & CHUNK_MASK) * NODE_WORDS + KEYS_WORD;
    const level = this.#nodes.levelOf(node);
    const columnWords = capacityOf(level);
    for (let column = 0; column < columnsOf(level); column++) {
      const source = base + column * columnWords;
      const target = column * GATHER_ENTRIES_MAX + this.#gatheredCount - from;
      for (let i = from; i < to; i++) this.#gathered[target + i] = words[source + i]!;
    }
    this.#gatheredCount += to - from;
  }

  /** Gathers the entries of a node with [low, high) replaced by the staged ones. */
  #gatherChanged(node: number, low: number, high: number): void {
    this.#gather(node, 0, low);
    const columns = columnsOf(this.#nodes.levelOf(node));
    for (let column = 0; column < columns; column++) {
      const source = column * LEAF_ENTRIES_MAX;
      const target = column * GATHER_ENTRIES_MAX + this.#gatheredCount;
      for (let i = 0; i < this.stagedCount; i++) {
        this.#gathered[target + i] = this.staged[source + i]!;
      }
    }
    this.#gatheredCount += this.stagedCount;
    this.#gather(node, high, this.#nodes.countOf(node));
  }

  /**
   * Gives key 0 of a right node its meaning back, before it stands between other keys: it is the
   * key its parent has for it.
   */
  #nameSeam(parent: number, index: number, leftCount: number): void {
    if (this.#nodes.levelOf(parent) === 1) return;
    this.#gathered[leftCount] = this.#nodes.keyAt(parent, index);
  }

  /** Gives a node gathered entries [from, to) and no others. */
  #scatter(node: number, from: number, to: number): void {
    const nodes = this.#nodes;
    const words = nodes.chunks[node >>> CHUNK_SHIFT]!;
    const base = (node & CHUNK_MASK) * NODE_WORDS + KEYS_WORD;
    const level = nodes.levelOf(node);
    const columnWords = capacityOf(level);
    nodes.setCount(node, to - from);
    for (let column = 0; column < columnsOf(level); column++) {
      const source = column * GATHER_ENTRIES_MAX;
      const target = base + column * columnWords - from;
      for (let i = from; i < to; i++) words[target + i] = this.#gathered[source + i]!;
    }
    if (level === 0) nodes.received(node);
  }

  /** Writes the staged entries into a gap of the node. */
  #unstage(node: number, at: number): void {
    const words = this.#nodes.chunks[node >>> CHUNK_SHIFT]!;
    const base = (node & CHUNK_MASK) * NODE_WORDS + KEYS_WORD;
    const level = this.#nodes.levelOf(node);
    const columnWords = capacityOf(level);
    for (let column = 0; column < columnsOf(level); column++) {
      const source = column * LEAF_ENTRIES_MAX;
      const target = base + column * columnWords + at;
      for (let i = 0; i < this.stagedCount; i++) words[target + i] = this.staged[source + i]!;
    }
  }
}
