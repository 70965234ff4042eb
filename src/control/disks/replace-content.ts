/**
 * The content of a disk that no volume is open of, replaced: by a snapshot's, or by nothing.
 *
 *   new trees shared ─▶ one commit that names them ─▶ old trees removed
 *
 * The disk keeps its size and the key it is encrypted under. A crash before the commit leaves the
 * old content and trees nobody names; one after it, the new content and trees nobody names.
 *
 * **Thread:** main.
 */
import type { RandomBytes } from '../../record/ids.ts';
import type { DiskRecord, LayerRecord, SnapshotRecord } from '../../record/resource.ts';
import type { ControlContext } from '../context.ts';
import {
  emptyLayers,
  freshTreeName,
  layersLike,
  layersOver,
  removeTrees,
  shareAndCommit,
} from '../layers.ts';

export async function replaceContent(
  context: ControlContext,
  disk: DiskRecord,
  snapshot: SnapshotRecord | null,
): Promise<void> {
  const layers = freshNames(disk, newLayers(disk, snapshot), context.randomBytes);
  const changed = { ...disk, layers };
  if (snapshot === null) await context.metadata.commit({ putDisks: [changed] });
  else await shareAndCommit(context, snapshot, changed, { putDisks: [changed] });
  await removeTrees(context, disk);
  if (layers.length > 1) await context.tasks.reencrypt(disk.diskId);
}

/** By the names of a new disk: freshNames() gives them others. */
function newLayers(disk: DiskRecord, snapshot: SnapshotRecord | null): readonly LayerRecord[] {
  const { diskId, encryption } = disk;
  if (snapshot === null) return emptyLayers(diskId, encryption);
  const isSameKey = hasSameDataKey(encryption, snapshot.encryption);
  return isSameKey
    ? layersLike(snapshot.layers, diskId)
    : layersOver(snapshot.layers, diskId, encryption);
}

function hasSameDataKey(a: LayerRecord['encryption'], b: LayerRecord['encryption']): boolean {
  if (a === null || b === null) return a === b;
  return a.keyId === b.keyId && Buffer.compare(a.wrappedKey, b.wrappedKey) === 0;
}

/** Names that no tree of the disk has: those of its present content are not free yet. */
function freshNames(
  { diskId, layers: present }: DiskRecord,
  layers: readonly LayerRecord[],
  randomBytes: RandomBytes,
): LayerRecord[] {
  const used = new Set(present.map(({ tree }) => tree));
  return layers.map((layer) => {
    let tree: string;
    do tree = freshTreeName(diskId, randomBytes);
    while (used.has(tree));
    used.add(tree);
    return { ...layer, tree };
  });
}
