/** DescribeDisks: disks by id, by key, or all of them, a page at a time. */
import * as v from 'valibot';
import { GIB } from '../../base/units.ts';
import { isDiskId } from '../../record/ids.ts';
import type { DiskRecord } from '../../record/resource.ts';
import type { ControlContext } from '../context.ts';
import { isInScope } from '../find.ts';
import { resolveKey } from '../keys/resolve-key.ts';
import { idListSchema, idSchema, isoSeconds, pageEntries, pageWindow } from '../schemas.ts';
import type { DiskDescription, DiskVerbs } from './types.ts';

export const describeDisksSchema = v.strictObject({
  ...pageEntries,
  DiskIds: v.optional(idListSchema),
  KMSKeyId: v.optional(idSchema),
});

export async function describeDisks(
  context: ControlContext,
  parameters: DiskVerbs['DescribeDisks']['parameters'],
): Promise<DiskVerbs['DescribeDisks']['result']> {
  const { DiskIds, KMSKeyId } = parameters;
  const { PageNumber, PageSize, skip } = pageWindow(parameters);
  const page = { PageNumber, PageSize };
  const keyId = KMSKeyId === undefined ? undefined : await resolveKey(context, KMSKeyId);
  if (DiskIds !== undefined) {
    const found = byIds(context, DiskIds).filter(
      (disk) => keyId === undefined || disk.encryption?.keyId === keyId,
    );
    const Disks = found.slice(skip, skip + PageSize).map(describe);
    return { ...page, TotalCount: found.length, Disks };
  }
  const filter = { scope: context, ...(keyId === undefined ? {} : { keyId }) };
  const { total, records } = context.metadata.listDisks(filter, skip, PageSize);
  return { ...page, TotalCount: total, Disks: records.map(describe) };
}

function byIds(context: ControlContext, diskIds: readonly string[]): DiskRecord[] {
  const found: DiskRecord[] = [];
  for (const id of new Set(diskIds)) {
    const disk = isDiskId(id) ? context.metadata.getDisk(id) : undefined;
    if (disk !== undefined && isInScope(context, disk)) found.push(disk);
  }
  return found;
}

function describe(disk: DiskRecord): DiskDescription {
  return {
    DiskId: disk.diskId,
    DiskName: disk.name,
    RegionId: disk.regionId,
    Size: disk.sizeBytes / GIB,
    Status: disk.status,
    Encrypted: disk.encryption !== null,
    KMSKeyId: disk.encryption?.keyId ?? '',
    SourceSnapshotId: disk.sourceSnapshotId ?? '',
    CreationTime: isoSeconds(disk.createdAt),
  };
}
