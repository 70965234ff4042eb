/** The volumes of a plane, as the verbs and the tasks are given them. */
import type { PlaneContext } from './control/context.ts';
import type { TaskVolumes } from './control/jobs/task-work.ts';
import { volumeWith } from './control/volume-of.ts';
import type { Metadata } from './meta/metadata.ts';
import type { HeldVolumes } from './router/held-volumes.ts';
import type { ShardSet } from './router/shard-set.ts';
import type { DiskPerformance } from './types.ts';

/** @param checkDebugger throws DebuggerOpen */
export function volumesOf(
  shards: ShardSet,
  held: HeldVolumes,
  checkDebugger: () => void,
  performance: DiskPerformance,
  metadata: Pick<Metadata, 'getDocument'>,
): PlaneContext['volumes'] {
  return {
    drain: (diskId) => shards.drain(diskId),
    resize: (diskId, sizeBytes) => shards.resize(diskId, sizeBytes),
    changeProfile: (diskId, profile) => shards.changeProfile(diskId, profile),
    pushLayer: (diskId, layer) => shards.pushLayer(diskId, layer),
    hold: async (disk) => {
      checkDebugger();
      const { instanceId } = disk;
      const instance = instanceId === null ? null : metadata.getDocument('instance', instanceId);
      return held.hold(volumeWith(disk, performance, instance?.instanceType));
    },
    release: (diskId) => held.release(diskId),
    readerCount: (snapshotId) => shards.readerCount(snapshotId),
  };
}

export function taskVolumesOf(shards: ShardSet): TaskVolumes {
  return {
    openReencryption: (volume) => shards.openReencryption(volume),
    openReader: (volume) => shards.attach(volume, async () => {}),
    dropLowerLayers: (resourceId) => shards.dropLowerLayers(resourceId),
  };
}
