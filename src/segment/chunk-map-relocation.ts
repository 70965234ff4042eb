/**
 * A pass over all leaves of the arena that offers every entry to reclaim, which may move its slot.
 *
 *   visited leaves < relocationCursor <= leaves to come          (numbers of the arena)
 *
 * 1. Leaves are visited in the order of the arena, not of any tree, so a leaf that a thousand
 *    snapshots share is visited once and a moved slot is moved for all of them.
 * 2. Between two steps maps change. A visited leaf that is given entries of another leaf (copy,
 *    split, sharing out, merge) may have been given unvisited ones: it goes into the revisit list.
 *    The list is linked through word 2 of the nodes. A leaf stands in it at most once and stays in
 *    it when it is freed, so the list needs no memory of its own and cannot outgrow the arena.
 * 3. So when a step answers true, every entry of a live leaf has been offered since the pass began,
 *    except those that assign() has made since then.
 * 4. If mover.move() throws, the entries before are moved, the leaf counts as not visited, and the
 *    next step offers all of it again.
 *
 * **Thread:** shard.
 */
import { invariant } from '../base/invariant.ts';
import {
  CHECKSUMS_WORD,
  CHUNK_MASK,
  CHUNK_SHIFT,
  type ChunkMapNodes,
  COUNT_MASK,
  LEVEL_SHIFT,
  LINK_WORD,
  LOCATIONS_WORD,
  NODE_WORDS,
  OWNERS_WORD,
  REVISIT_END,
  SHAPE_WORD,
} from './chunk-map-nodes.ts';

/** Decides where a slot's ciphertext is to be. */
export interface SlotMover {
  /**
   * @param location where it is
   * @param checksum of the ciphertext
   * @returns where it is now: the same location if it stays. Must not change any map
   */
  move(location: number, checksum: number): number;
}

/** Nodes looked at for one leaf of the budget: bounds a step through an arena of few leaves. */
const NODES_PER_LEAF_BUDGET = 64;

export class ChunkMapRelocation {
  readonly #nodes: ChunkMapNodes;

  constructor(nodes: ChunkMapNodes) {
    this.#nodes = nodes;
  }

  begin(): void {
    const nodes = this.#nodes;
    invariant(nodes.relocationCursor === 0, 'one relocation pass at a time');
    invariant(nodes.revisitHead === REVISIT_END, 'no leaf is left from an earlier pass');
    nodes.relocationCursor = 1;
  }

  step(leafBudget: number, mover: SlotMover): boolean {
    const nodes = this.#nodes;
    invariant(nodes.relocationCursor > 0, 'a relocation pass is active');
    let leavesLeft = leafBudget;
    let nodesLeft = leafBudget * NODES_PER_LEAF_BUDGET;
    while (leavesLeft > 0 && nodesLeft > 0) {
      if (nodes.revisitHead !== REVISIT_END) {
        this.#visit(nodes.revisitHead, mover);
        this.#unlinkHead();
        leavesLeft--;
      } else if (nodes.relocationCursor >>> CHUNK_SHIFT < nodes.chunks.length) {
        if (this.#visit(nodes.relocationCursor, mover)) leavesLeft--;
        nodes.relocationCursor++;
        nodesLeft--;
      } else {
        return true;
      }
    }
    return false;
  }

  end(): void {
    const nodes = this.#nodes;
    invariant(nodes.relocationCursor > 0, 'a relocation pass is active');
    while (nodes.revisitHead !== REVISIT_END) this.#unlinkHead();
    nodes.relocationCursor = 0;
    nodes.dropEmptyChunks();
  }

  /** Offers the entries of a node to the mover; false if it is no live leaf. */
  #visit(node: number, mover: SlotMover): boolean {
    const slots = this.#nodes.slots;
    const words = this.#nodes.chunks[node >>> CHUNK_SHIFT]!;
    const base = (node & CHUNK_MASK) * NODE_WORDS;
    if (words.length === 0 || words[base + OWNERS_WORD] === 0) return false;
    const shape = words[base + SHAPE_WORD]!;
    if (shape >>> LEVEL_SHIFT > 0) return false;
    const count = shape & COUNT_MASK;
    for (let i = 0; i < count; i++) {
      const location = words[base + LOCATIONS_WORD + i]!;
      const moved = mover.move(location, words[base + CHECKSUMS_WORD + i]!);
      if (moved === location) continue;
      slots.acquire(moved);
      words[base + LOCATIONS_WORD + i] = moved;
      slots.release(location);
    }
    invariant(words[base + SHAPE_WORD] === shape, 'a mover changes no map');
    return true;
  }

  #unlinkHead(): void {
    const nodes = this.#nodes;
    const words = nodes.chunks[nodes.revisitHead >>> CHUNK_SHIFT]!;
    const linkAt = (nodes.revisitHead & CHUNK_MASK) * NODE_WORDS + LINK_WORD;
    const next = words[linkAt]!;
    invariant(next !== 0, 'a leaf in the revisit list has a link');
    words[linkAt] = 0;
    nodes.revisitHead = next;
  }
}
