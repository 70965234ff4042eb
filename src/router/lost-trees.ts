/**
 * Trees of a store in memory whose thread was lost: what may be asked of them, and what not.
 *
 * A tree is lost if it may have been in the store: some request to the shard had named it. A disk
 * nobody ever opened has nothing to lose. Without this a tree would be made again, empty, and its
 * disk would read as zeros: wrong bytes in place of an error.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../base/errors.ts';
import type { ShardRequest } from '../record/shard-message.ts';

export class LostTrees {
  private readonly named = new Set<string>();
  private readonly lost = new Set<string>();

  /** The thread is lost: so is everything it was told of. */
  loseAll(): void {
    for (const tree of this.named) this.lost.add(tree);
    this.named.clear();
  }

  /** A request is about to be sent. @returns why it must not be */
  check(request: ShardRequest): PlaneError | null {
    const { needed, made } = treesOf(request);
    const gone = needed.find((tree) => this.lost.has(tree));
    if (gone !== undefined) {
      const what = `the content of ${gone} was in the memory of a thread that was lost`;
      return new PlaneError('DataLost', what);
    }
    for (const tree of made) this.named.add(tree);
    if (request.op === 'removeTree') this.forget((tree) => tree === request.name);
    if (request.op === 'retainTrees') {
      const retained = new Set(request.names);
      this.forget((tree) => !retained.has(tree));
    }
    return null;
  }

  private forget(isRemoved: (tree: string) => boolean): void {
    for (const trees of [this.named, this.lost]) {
      for (const tree of trees) if (isRemoved(tree)) trees.delete(tree);
    }
  }
}

/** Trees a request reads or goes on with, and all that may be in the store after it. */
function treesOf(request: ShardRequest): {
  readonly needed: readonly string[];
  readonly made: readonly string[];
} {
  const none: readonly string[] = [];
  switch (request.op) {
    case 'openVolume': {
      const trees = request.layers.map(({ tree }) => tree);
      return { needed: trees, made: trees };
    }
    case 'pushLayer':
      return { needed: none, made: [request.layer.tree] };
    case 'shareTree':
      return { needed: [request.source], made: [request.source, request.target] };
    case 'shareTrees':
      return {
        needed: request.pairs.map(({ source }) => source),
        made: request.pairs.flatMap(({ source, target }) => [source, target]),
      };
    default:
      return { needed: none, made: none };
  }
}
