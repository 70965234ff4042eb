/**
 * The trees behind disks and snapshots: shared for what is made from them, removed with them.
 *
 *   d-...          the tree of a resource with one layer
 *   d-....1, .2    trees below it, and of later layers
 *
 * Trees are shared before the record that names them is committed, and removed after the record
 * that named them is gone: a crash in between leaves trees nobody names, which reconcile.ts
 * removes.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../base/errors.ts';
import type { MetadataChange } from '../meta/metadata.ts';
import type { LayerRecord } from '../record/resource.ts';
import type { PlaneContext } from './context.ts';

/** Where trees are. */
export interface LayeredRecord {
  readonly shardIndex: number;
  readonly layers: readonly LayerRecord[];
}

/**
 * @param resourceId of what is to be read, for the refusal
 * @throws PlaneError DataKeyErased
 */
export function checkNotErased(resourceId: string, layers: readonly LayerRecord[]): void {
  const erased = layers.find((layer) => layer.encryption?.erasedAt !== undefined);
  if (erased === undefined) return;
  throw new PlaneError(
    'DataKeyErased',
    `the data key ${erased.encryption?.lineageId} of ${resourceId} was erased`,
  );
}

/**
 * The layers a new resource has that shares another's content, encryption as it is.
 *
 * @throws PlaneError DataKeyErased
 */
export function layersLike(source: readonly LayerRecord[], newId: string): LayerRecord[] {
  checkNotErased(source[0]?.tree ?? '', source);
  return source.map(({ encryption }, depth) => ({ tree: treeName(newId, depth), encryption }));
}

/**
 * The layers a new resource has whose content is the source's, but is to be under another key: an
 * empty tree on top, and below it the source's.
 *
 * @throws PlaneError DataKeyErased
 */
export function layersOver(
  source: readonly LayerRecord[],
  newId: string,
  encryption: LayerRecord['encryption'],
): LayerRecord[] {
  checkNotErased(source[0]?.tree ?? '', source);
  const below = source.map((layer, depth) => ({ ...layer, tree: treeName(newId, depth + 1) }));
  return [{ tree: newId, encryption }, ...below];
}

/** The layer of a resource that is made empty. */
export function emptyLayers(
  newId: string,
  encryption: LayerRecord['encryption'],
): readonly LayerRecord[] {
  return [{ tree: newId, encryption }];
}

/**
 * Shares the source's trees under the names of `target`, then commits; what was shared is removed
 * again if that fails.
 *
 * @param target on the source's shard; its lowest layers are the source's, in their order
 * @throws PlaneError what a shard or the metadata refuses with
 */
export async function shareAndCommit(
  context: PlaneContext,
  source: LayeredRecord,
  target: LayeredRecord,
  change: MetadataChange,
): Promise<void> {
  const { shards, metadata } = context;
  const shared: LayerRecord[] = [];
  try {
    const ownAbove = target.layers.length - source.layers.length;
    for (const [depth, layer] of source.layers.entries()) {
      const own = target.layers[ownAbove + depth] as LayerRecord;
      const request = { op: 'shareTree', source: layer.tree, target: own.tree } as const;
      await shards.call(target.shardIndex, request);
      shared.push(own);
    }
    await metadata.commit(change);
  } catch (error) {
    await removeTrees(context, { shardIndex: target.shardIndex, layers: shared });
    throw error;
  }
}

/** Removes trees no record names any more. */
export async function removeTrees(context: PlaneContext, record: LayeredRecord): Promise<void> {
  for (const { tree } of record.layers) {
    await context.shards.call(record.shardIndex, { op: 'removeTree', name: tree });
  }
}

function treeName(id: string, depth: number): string {
  return depth === 0 ? id : `${id}.${depth}`;
}
