/** How far a snapshot is, in percent. */
import type { SnapshotRecord } from '../../record/resource.ts';
import type { PlaneContext } from '../context.ts';

/** @returns 0 to 100, whole; 100 only when it is accomplished */
export function snapshotProgress(context: PlaneContext, snapshot: SnapshotRecord): number {
  if (snapshot.status === 'accomplished') return 100;
  const group = `resource/${snapshot.snapshotId}`;
  const [task] = context.metadata.listDocuments('task', group, 0, 1).records;
  if (task === undefined || task.totalSectors === 0) return 0;
  return Math.min(Math.floor((100 * task.doneSectors) / task.totalSectors), 99);
}
