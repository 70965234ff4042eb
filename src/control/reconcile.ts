/**
 * What a crash left half done, put right at the opening of a plane:
 *
 *   disk In_use              -> Available: nothing is attached yet; of an instance: it stays so
 *   instance not Stopped     -> Stopped: no key is unwrapped that nobody asked for
 *   disk Creating, Deleting  -> removed
 *   tree nobody names        -> removed from its shard: a verb told the shard and did not commit,
 *                               or committed a removal and did not tell the shard
 *
 * Something is committed before any shard is told anything: what is read here may be there, or be
 * missing, in the system's cache only, if the process before ended itself over a commit that failed
 * at its last page. A commit makes what it was made upon durable, and shards follow only that.
 *
 * **Thread:** main.
 */
import { ACCOUNT_DEFAULT, STORE_RANGE_ENTRIES_MAX } from '../limits.ts';
import type { Metadata } from '../meta/metadata.ts';
import type { InstanceRecord } from '../record/document.ts';
import type { DiskRecord } from '../record/resource.ts';
import type { PlaneContext } from './context.ts';

export async function reconcile(context: PlaneContext): Promise<void> {
  const { metadata, shards } = context;
  const detached = metadata.disksWithStatus(['In_use', 'Attaching', 'Detaching', 'ReIniting']);
  const halfDone = metadata.disksWithStatus(['Creating', 'Deleting']);
  const running = instancesThatRan(metadata);
  // Put as it is, so that there is something. Without it the directory is new.
  const owner = metadata.getDocument('account', ACCOUNT_DEFAULT);
  await metadata.commit({
    putDisks: detached.map(atRest),
    removeDisks: halfDone.map((disk) => disk.diskId),
    putDocuments: [
      ...running.map((instance) => ({
        kind: 'instance' as const,
        record: { ...instance, status: 'Stopped' as const },
      })),
      ...(owner === undefined ? [] : [{ kind: 'account' as const, record: owner }]),
    ],
  });
  for (let shardIndex = 0; shardIndex < shards.count; shardIndex++) {
    const names = metadata.treeNamesOfShard(shardIndex);
    await shards.call(shardIndex, { op: 'retainTrees', names });
  }
}

/** A disk of an instance stays attached to it; one the library had open is nobody's. */
function atRest(disk: DiskRecord): DiskRecord {
  return { ...disk, status: disk.instanceId === null ? 'Available' : 'In_use' };
}

/** Instances are few: all are looked at. */
function instancesThatRan(metadata: Metadata): InstanceRecord[] {
  const found: InstanceRecord[] = [];
  for (let skip = 0; ; skip += STORE_RANGE_ENTRIES_MAX) {
    const { records } = metadata.listDocuments('instance', null, skip, STORE_RANGE_ENTRIES_MAX);
    found.push(...records.filter(({ status }) => status !== 'Stopped'));
    if (records.length < STORE_RANGE_ENTRIES_MAX) return found;
  }
}
