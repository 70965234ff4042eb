/**
 * Trees shared together: a snapshot of a stack of layers is of one instant.
 *
 * **Thread:** shard. One call, so no write and no step of re-encryption comes in between.
 */
import { PlaneError } from '../base/errors.ts';
import type { ShardStore } from '../segment/shard-store.ts';

interface TreePair {
  readonly source: string;
  readonly target: string;
}

/**
 * Makes every target a copy-on-write copy of its source, all or none of them, on stable storage.
 *
 * @throws PlaneError InvalidArgument: a target exists, or is named twice; StoreFailed
 */
export function shareTrees(store: ShardStore, pairs: readonly TreePair[]): void {
  const shared: string[] = [];
  try {
    for (const { source, target } of pairs) {
      store.shareTree(source, target);
      shared.push(target);
    }
    store.flush();
  } catch (error) {
    if (error instanceof PlaneError && error.code !== 'StoreFailed') {
      for (const target of shared) store.removeTree(target);
    }
    throw error;
  }
}
