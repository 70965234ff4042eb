/**
 * What a shard is told of a record to open its volume: trees, and their keys as they are stored.
 *
 * **Thread:** main.
 */
import type { DiskRecord, LayerRecord, SnapshotRecord } from '../record/resource.ts';
import type { VolumeLayer } from '../record/shard-message.ts';
import type { VolumeToOpen } from '../router/volume-to-open.ts';

export function volumeOf(record: DiskRecord | SnapshotRecord): VolumeToOpen {
  const { sizeBytes, shardIndex } = record;
  const diskId = 'diskId' in record ? record.diskId : record.snapshotId;
  return { diskId, sizeBytes, shardIndex, layers: record.layers.map(volumeLayerOf) };
}

export function volumeLayerOf({ tree, encryption }: LayerRecord): VolumeLayer {
  if (encryption === null) return { tree, wrappedKey: null, context: null };
  const { wrappedKey, accountId, regionId, lineageId } = encryption;
  return { tree, wrappedKey, context: { accountId, regionId, lineageId } };
}
