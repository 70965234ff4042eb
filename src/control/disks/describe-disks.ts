/** DescribeDisks: disks by id, by what an index or their fields say, a page at a time. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import type { DiskFilter } from '../../meta/metadata.ts';
import { isDiskId } from '../../record/ids.ts';
import type { DiskRecord } from '../../record/resource.ts';
import { tagsSchema } from '../access/tags.ts';
import { chargeTypeOf } from '../charge-types.ts';
import type { ControlContext } from '../context.ts';
import { isInScope } from '../find.ts';
import { resolveKey } from '../keys/resolve-key.ts';
import {
  facetsAsked,
  isPattern,
  listingOf,
  matchesName,
  pageOf,
  tokenPageEntries,
} from '../list-pages.ts';
import { groupOf, resourceGroupSchema } from '../resource-groups.ts';
import { anyIdListSchema, idSchema } from '../schemas.ts';
import { findShare } from '../snapshots/find-source.ts';
import { hasTags } from '../tag-parameters.ts';
import { describeDisk } from './disk-description.ts';
import type { DiskFilterParameters, DiskVerbs } from './types.ts';

const STATUSES = [
  'In_use',
  'Available',
  'Attaching',
  'Detaching',
  'Creating',
  'ReIniting',
  'All',
] as const;

export const describeDisksSchema = v.strictObject({
  ...tokenPageEntries,
  DiskIds: v.optional(anyIdListSchema),
  KMSKeyId: v.optional(idSchema),
  InstanceId: v.optional(idSchema),
  SnapshotId: v.optional(idSchema),
  ImageId: v.optional(idSchema),
  Encrypted: v.optional(v.boolean()),
  Status: v.optional(v.picklist(STATUSES)),
  Category: v.optional(v.string()),
  DiskType: v.optional(v.picklist(['system', 'data', 'all'])),
  DiskName: v.optional(v.string()),
  ZoneId: v.optional(v.string()),
  Portable: v.optional(v.boolean()),
  DiskChargeType: v.optional(v.string()),
  DeleteWithInstance: v.optional(v.boolean()),
  DeleteAutoSnapshot: v.optional(v.boolean()),
  EnableAutoSnapshot: v.optional(v.boolean()),
  MultiAttach: v.optional(v.string()),
  Tag: v.optional(tagsSchema),
  Filter: v.optional(v.array(v.strictObject({ Key: v.string(), Value: v.string() }))),
  AdditionalAttributes: v.optional(v.array(v.string())),
  ResourceGroupId: v.optional(resourceGroupSchema),
});

export async function describeDisks(
  context: ControlContext,
  parameters: DiskVerbs['DescribeDisks']['parameters'],
): Promise<DiskVerbs['DescribeDisks']['result']> {
  const { DiskIds, KMSKeyId } = parameters;
  const keyId = KMSKeyId === undefined ? undefined : await resolveKey(context, KMSKeyId);
  const filter = indexFilter(context, parameters, keyId);
  const isIndexed = DiskIds === undefined;
  const matches = predicate(parameters, isIndexed);
  const list = isIndexed
    ? (skip: number, limit: number) => context.metadata.listDisks(filter, skip, limit)
    : listingOf(byIds(context, DiskIds, filter));
  const { records, TotalCount, PageNumber, PageSize, NextToken } = pageOf(
    parameters,
    list,
    matches,
  );
  const Disks = records.map((disk) => describeDisk(context, disk));
  return { TotalCount, PageNumber, PageSize, NextToken, Disks };
}

function indexFilter(
  context: ControlContext,
  parameters: DiskFilterParameters,
  keyId: string | undefined,
): DiskFilter {
  const { InstanceId, SnapshotId, ImageId } = parameters;
  const { accountId, regionId } = context;
  return {
    scope: { accountId, regionId },
    ...(keyId === undefined ? {} : { keyId }),
    ...(InstanceId === undefined ? {} : { instanceId: InstanceId }),
    ...(ImageId === undefined ? {} : { imageId: ImageId }),
    ...(SnapshotId === undefined
      ? {}
      : { sourceSnapshotId: findShare(context, SnapshotId)?.sourceSnapshotId ?? SnapshotId }),
    ...facetsAsked({ name: parameters.DiskName, all: 'All', ...parameters }),
  };
}

function byIds(
  context: ControlContext,
  diskIds: readonly string[],
  filter: DiskFilter,
): DiskRecord[] {
  const found: DiskRecord[] = [];
  for (const id of new Set(diskIds)) {
    const disk = isDiskId(id) ? context.metadata.getDisk(id) : undefined;
    if (disk !== undefined && isInScope(context, disk) && isIn(disk, filter)) found.push(disk);
  }
  return found;
}

/** What the indexes would have said. */
function isIn(disk: DiskRecord, filter: DiskFilter): boolean {
  const { keyId, instanceId, imageId, sourceSnapshotId } = filter;
  return (
    (keyId === undefined || disk.encryption?.keyId === keyId) &&
    (instanceId === undefined || disk.instanceId === instanceId) &&
    (imageId === undefined || disk.imageId === imageId) &&
    (sourceSnapshotId === undefined || disk.sourceSnapshotId === sourceSnapshotId)
  );
}

type Test = (disk: DiskRecord) => boolean;

/** What no index answers; null if nothing of the kind is asked. */
function predicate(parameters: DiskFilterParameters, isIndexed: boolean): Test | null {
  const { Filter, DiskType } = parameters;
  const tests: Test[] = isIndexed ? [] : facetTests(parameters);
  const equal = <T>(wanted: T | undefined, of: (disk: DiskRecord) => T): void => {
    if (wanted !== undefined) tests.push((disk) => of(disk) === wanted);
  };
  equal(DiskType === 'all' ? undefined : DiskType, (disk) => disk.type);
  equal(parameters.Category === 'all' ? undefined : parameters.Category, (disk) => disk.category);
  equal(parameters.ZoneId, (disk) => disk.zoneId);
  equal(parameters.Portable, (disk) => disk.type === 'data');
  equal(parameters.DiskChargeType, chargeTypeOf);
  equal(parameters.ResourceGroupId, groupOf);
  equal(parameters.MultiAttach, () => 'Disabled');
  equal(parameters.DeleteWithInstance, (disk) => disk.deleteWithInstance);
  equal(parameters.DeleteAutoSnapshot, (disk) => disk.deleteAutoSnapshot);
  equal(parameters.EnableAutoSnapshot, (disk) => disk.enableAutoSnapshot);
  const { DiskName } = parameters;
  if (isPattern(DiskName)) tests.push((disk) => matchesName(disk.name, DiskName));
  for (const { Key, Value } of Filter ?? []) tests.push(timeTest(Key, Value));
  return tests.length === 0 ? null : (disk) => tests.every((test) => test(disk));
}

/** What an index answers of all disks, asked of those that are given by their ids. */
function facetTests({ Encrypted, Status, DiskName, Tag }: DiskFilterParameters): Test[] {
  const tests: Test[] = [];
  if (Encrypted !== undefined) tests.push((disk) => (disk.encryption !== null) === Encrypted);
  if (Status !== undefined && Status !== 'All') tests.push((disk) => disk.status === Status);
  if (DiskName !== undefined && !isPattern(DiskName)) tests.push((disk) => disk.name === DiskName);
  if (Tag !== undefined) tests.push((disk) => hasTags(disk.tags, Tag));
  return tests;
}

function timeTest(key: string, value: string): Test {
  const at = Date.parse(value);
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(value) && !Number.isNaN(at);
  if (isTime && key === 'CreationStartTime') return (disk) => disk.createdAt >= at;
  if (isTime && key === 'CreationEndTime') return (disk) => disk.createdAt <= at;
  throw new PlaneError(
    'InvalidParameter',
    `expected Filter to be CreationStartTime or CreationEndTime and a time in UTC, got ${[
      key,
      value,
    ]
      .join(' ')
      .slice(0, 64)}`,
  );
}
