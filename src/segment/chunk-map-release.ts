/**
 * Giving up a tree: one owner less, and what nobody owns any more is freed.
 *
 *   begin(root) -> step() ... step() true -> begin(another root)
 *
 * 1. A node whose last owner goes is freed after its children have lost it as an owner: so a way
 *    down of LEVELS_MAX nodes is all that has to be remembered.
 * 2. A subtree that another tree owns is left at its root: giving up a snapshot costs what it alone
 *    had, not what it shared.
 * 3. Between two steps maps may be changed. Nodes on the way down have no owner, so nobody meets
 *    them; the nodes below them are still owned, by them.
 *
 * **Thread:** shard.
 */
import { invariant } from '../base/invariant.ts';
import { type ChunkMapNodes, EMPTY_ROOT, LEVELS_MAX } from './chunk-map-nodes.ts';

export class ChunkMapRelease {
  readonly #nodes: ChunkMapNodes;
  /** Nodes to be freed, from the root down, and the child each goes on with. */
  readonly #way = new Uint32Array(LEVELS_MAX);
  readonly #indexes = new Uint32Array(LEVELS_MAX);
  #length = 0;

  constructor(nodes: ChunkMapNodes) {
    this.#nodes = nodes;
  }

  /** Takes one ownership of a root. The tree is as good as gone; step() frees its nodes. */
  begin(root: number): void {
    invariant(this.#length === 0, 'one tree is released at a time');
    if (root !== EMPTY_ROOT) this.#disown(root);
  }

  /**
   * Looks at up to nodeBudget nodes: frees them, or leaves them to their other owners.
   *
   * @returns true when nothing is left to free
   */
  step(nodeBudget: number): boolean {
    invariant(nodeBudget > 0, 'a step looks at one node at least');
    const nodes = this.#nodes;
    for (let left = nodeBudget; left > 0 && this.#length > 0; left--) {
      const last = this.#length - 1;
      const node = this.#way[last]!;
      const index = this.#indexes[last]!;
      if (nodes.levelOf(node) > 0 && index < nodes.countOf(node)) {
        this.#indexes[last] = index + 1;
        this.#disown(nodes.childAt(node, index));
        continue;
      }
      if (nodes.levelOf(node) === 0) nodes.releaseSlots(node, 0, nodes.countOf(node));
      nodes.free(node);
      this.#length--;
    }
    return this.#length === 0;
  }

  #disown(node: number): void {
    if (this.#nodes.disown(node) > 0) return;
    invariant(this.#length < LEVELS_MAX, 'the way down has room for every level');
    this.#way[this.#length] = node;
    this.#indexes[this.#length] = 0;
    this.#length++;
  }
}
