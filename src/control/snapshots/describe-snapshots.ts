/** DescribeSnapshots: snapshots by id, by disk, or all of them, a page at a time. */
import * as v from 'valibot';
import { GIB } from '../../base/units.ts';
import { isDiskId, isSnapshotId } from '../../record/ids.ts';
import type { SnapshotRecord } from '../../record/resource.ts';
import type { ControlContext } from '../context.ts';
import { isInScope } from '../find.ts';
import { idListSchema, idSchema, isoSeconds, pageEntries, pageWindow } from '../schemas.ts';
import type { SnapshotDescription, SnapshotVerbs } from './types.ts';

export const describeSnapshotsSchema = v.strictObject({
  ...pageEntries,
  SnapshotIds: v.optional(idListSchema),
  DiskId: v.optional(idSchema),
});

export async function describeSnapshots(
  context: ControlContext,
  parameters: SnapshotVerbs['DescribeSnapshots']['parameters'],
): Promise<SnapshotVerbs['DescribeSnapshots']['result']> {
  const { SnapshotIds, DiskId } = parameters;
  const { PageNumber, PageSize, skip } = pageWindow(parameters);
  const page = { PageNumber, PageSize };
  if (SnapshotIds !== undefined) {
    const found = byIds(context, SnapshotIds).filter(
      (snapshot) => DiskId === undefined || snapshot.sourceDiskId === DiskId,
    );
    const Snapshots = found.slice(skip, skip + PageSize).map(describe);
    return { ...page, TotalCount: found.length, Snapshots };
  }
  if (DiskId !== undefined && !isDiskId(DiskId)) return { ...page, TotalCount: 0, Snapshots: [] };
  const filter = { scope: context, ...(DiskId === undefined ? {} : { diskId: DiskId }) };
  const { total, records } = context.metadata.listSnapshots(filter, skip, PageSize);
  return { ...page, TotalCount: total, Snapshots: records.map(describe) };
}

function byIds(context: ControlContext, snapshotIds: readonly string[]): SnapshotRecord[] {
  const found: SnapshotRecord[] = [];
  for (const id of new Set(snapshotIds)) {
    const snapshot = isSnapshotId(id) ? context.metadata.getSnapshot(id) : undefined;
    if (snapshot !== undefined && isInScope(context, snapshot)) found.push(snapshot);
  }
  return found;
}

function describe(snapshot: SnapshotRecord): SnapshotDescription {
  return {
    SnapshotId: snapshot.snapshotId,
    SnapshotName: snapshot.name,
    SourceDiskId: snapshot.sourceDiskId,
    SourceDiskSize: snapshot.sizeBytes / GIB,
    Status: snapshot.status,
    Encrypted: snapshot.encryption !== null,
    KMSKeyId: snapshot.encryption?.keyId ?? '',
    CreationTime: isoSeconds(snapshot.createdAt),
  };
}
