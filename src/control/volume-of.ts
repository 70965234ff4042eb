/**
 * What a shard is told of a record to open its volume: trees, and their keys as they are stored.
 *
 * **Thread:** main.
 */
import { instanceRatesOf } from '../performance/instance-figures.ts';
import type { DiskRecord, LayerRecord, SnapshotRecord } from '../record/resource.ts';
import type { VolumeLayer } from '../record/shard-message.ts';
import type { VolumeToOpen } from '../router/volume-to-open.ts';
import { profileOfDisk } from './disks/disk-profile.ts';

export function volumeOf(record: DiskRecord | SnapshotRecord): VolumeToOpen {
  const { sizeBytes, shardIndex } = record;
  const diskId = 'diskId' in record ? record.diskId : record.snapshotId;
  return { diskId, sizeBytes, shardIndex, layers: record.layers.map(volumeLayerOf) };
}

/**
 * The volume of a disk, with what its callers are to see of its performance.
 *
 * @param instanceType of the instance it is attached to; undefined: it is to none
 */
export function volumeWith(
  record: DiskRecord,
  performance: 'unlimited' | 'modelled',
  instanceType?: string,
): VolumeToOpen {
  const volume = volumeOf(record);
  if (performance === 'unlimited') return volume;
  const { instanceId } = record;
  const rates = instanceType === undefined ? null : instanceRatesOf(instanceType);
  const instance = rates === null || instanceId === null ? undefined : { ...rates, instanceId };
  return { ...volume, profile: profileOfDisk(record), instance };
}

export function volumeLayerOf({ tree, encryption }: LayerRecord): VolumeLayer {
  if (encryption === null) return { tree, wrappedKey: null, context: null };
  const { wrappedKey, accountId, regionId, lineageId } = encryption;
  return { tree, wrappedKey, context: { accountId, regionId, lineageId } };
}
