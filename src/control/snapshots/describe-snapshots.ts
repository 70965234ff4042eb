/**
 * DescribeSnapshots: own snapshots in the order of their ids, then the shared ones in the order of
 * theirs, a page at a time. A disk, a key and ids narrow what is looked at; the other filters are
 * asked of each snapshot.
 */
import * as v from 'valibot';
import { GIB } from '../../base/units.ts';
import { PAGE_SIZE_MAX, SHARED_SNAPSHOTS_MAX } from '../../limits.ts';
import { scopeGroup } from '../../meta/documents.ts';
import type { ShareRecord } from '../../record/document.ts';
import { isSnapshotId } from '../../record/ids.ts';
import type { SnapshotRecord } from '../../record/resource.ts';
import { tagsSchema } from '../access/tags.ts';
import type { ControlContext } from '../context.ts';
import { creationFilterSchema, isMadeWithin } from '../creation-filter.ts';
import { isInScope } from '../find.ts';
import { joinLists, type List, mapList } from '../joined-lists.ts';
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
import { idListSchema, idSchema, isoSeconds, nameSchema } from '../schemas.ts';
import { describeTags, hasTags } from '../tag-parameters.ts';
import { findShare } from './find-source.ts';
import { snapshotProgress } from './progress.ts';
import type { SnapshotDescription, SnapshotFilters, SnapshotVerbs } from './types.ts';

export const describeSnapshotsSchema = v.strictObject({
  ...tokenPageEntries,
  MaxResults: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(PAGE_SIZE_MAX))),
  SnapshotIds: v.optional(idListSchema),
  SnapshotName: v.optional(nameSchema),
  DiskId: v.optional(idSchema),
  InstanceId: v.optional(idSchema),
  KMSKeyId: v.optional(idSchema),
  Encrypted: v.optional(v.boolean()),
  Status: v.optional(v.picklist(['progressing', 'accomplished', 'failed', 'all'])),
  SnapshotType: v.optional(v.picklist(['auto', 'user', 'all'])),
  SourceDiskType: v.optional(v.picklist(['System', 'Data', 'system', 'data'])),
  Usage: v.optional(v.picklist(['image', 'disk', 'image_disk', 'none'])),
  Category: v.optional(v.string()),
  ResourceGroupId: v.optional(resourceGroupSchema),
  Tag: v.optional(tagsSchema),
  Filter: v.optional(creationFilterSchema),
});

/** A snapshot as one account sees it. */
interface SeenSnapshot {
  readonly snapshot: SnapshotRecord;
  /** null: its own. */
  readonly share: ShareRecord | null;
}

export async function describeSnapshots(
  context: ControlContext,
  parameters: SnapshotVerbs['DescribeSnapshots']['parameters'],
): Promise<SnapshotVerbs['DescribeSnapshots']['result']> {
  const { KMSKeyId } = parameters;
  const keyId = KMSKeyId === undefined ? undefined : await resolveKey(context, KMSKeyId);
  const filters = keyId === undefined ? parameters : { ...parameters, KMSKeyId: keyId };
  const list = joinLists(listsOf(context, filters));
  const { records, ...page } = pageOf(parameters, list, testOf(context, filters));
  return { ...page, Snapshots: records.map((seen) => describe(context, seen)) };
}

/** What is looked at. */
function listsOf(context: ControlContext, filters: SnapshotFilters): List<SeenSnapshot>[] {
  const { SnapshotIds, DiskId, InstanceId, KMSKeyId } = filters;
  if (SnapshotIds !== undefined) return [listingOf(byIds(context, SnapshotIds))];
  const own = (diskId: string | undefined): List<SeenSnapshot> => {
    const filter = {
      scope: context,
      ...(diskId === undefined ? {} : { diskId }),
      ...(KMSKeyId === undefined ? {} : { keyId: KMSKeyId }),
      ...facetsAsked({ ...filters, name: filters.SnapshotName, all: 'all' }),
    };
    return mapList(
      (skip, limit) => context.metadata.listSnapshots(filter, skip, limit),
      (snapshot) => ({ snapshot, share: null }),
    );
  };
  if (InstanceId !== undefined) {
    const filter = { scope: context, instanceId: InstanceId };
    const { total } = context.metadata.listDisks(filter, 0, 1);
    if (total === 0) return [];
    const disks = context.metadata.listDisks(filter, 0, total).records;
    return disks
      .filter(({ diskId }) => diskId === (DiskId ?? diskId))
      .map((disk) => own(disk.diskId));
  }
  const tests = facetTests(filters);
  const shared = sharedWith(context).filter(
    (seen) =>
      (DiskId === undefined || seen.snapshot.sourceDiskId === DiskId) &&
      (KMSKeyId === undefined || seen.snapshot.encryption?.keyId === KMSKeyId) &&
      tests.every((passes) => passes(seen)),
  );
  return [own(DiskId), listingOf(shared)];
}

function byIds(context: ControlContext, snapshotIds: readonly string[]): SeenSnapshot[] {
  const found: SeenSnapshot[] = [];
  for (const id of new Set(snapshotIds)) {
    const share = findShare(context, id) ?? null;
    const ownId = share?.sourceSnapshotId ?? id;
    const snapshot = isSnapshotId(ownId) ? context.metadata.getSnapshot(ownId) : undefined;
    if (snapshot === undefined) continue;
    if (share !== null || isInScope(context, snapshot)) found.push({ snapshot, share });
  }
  return found;
}

function sharedWith(context: ControlContext): SeenSnapshot[] {
  const group = `scope/${scopeGroup(context.accountId, context.regionId)}`;
  const { records } = context.metadata.listDocuments('share', group, 0, SHARED_SNAPSHOTS_MAX);
  return records.flatMap((share) => {
    const snapshot = context.metadata.getSnapshot(share.sourceSnapshotId);
    return snapshot === undefined ? [] : [{ snapshot, share }];
  });
}

/** @returns null if everything that is looked at passes */
function testOf(context: ControlContext, filters: SnapshotFilters): Test | null {
  const tests = testsOf(context, filters);
  if (filters.SnapshotIds !== undefined) {
    tests.push(...facetTests(filters));
    const { DiskId, KMSKeyId, InstanceId } = filters;
    if (DiskId !== undefined) tests.push((seen) => seen.snapshot.sourceDiskId === DiskId);
    if (KMSKeyId !== undefined) {
      tests.push((seen) => seen.snapshot.encryption?.keyId === KMSKeyId);
    }
    if (InstanceId !== undefined) {
      const instanceOf = (id: string) => context.metadata.getDisk(id)?.instanceId;
      tests.push((seen) => instanceOf(seen.snapshot.sourceDiskId) === InstanceId);
    }
  }
  return tests.length === 0 ? null : (seen) => tests.every((passes) => passes(seen));
}

type Test = (seen: SeenSnapshot) => boolean;

/** What no index answers. */
function testsOf(context: ControlContext, filters: SnapshotFilters): Test[] {
  const { SnapshotName, SnapshotType, SourceDiskType, Usage, Category, Filter } = filters;
  const { ResourceGroupId } = filters;
  const tests: Test[] = [];
  const ask = (isAsked: boolean, test: Test): void => {
    if (isAsked) tests.push(test);
  };
  if (isPattern(SnapshotName)) {
    tests.push(({ snapshot }) => matchesName(snapshot.name, SnapshotName));
  }
  // Every snapshot is one that a user took.
  ask(SnapshotType === 'auto', () => false);
  ask(
    SourceDiskType !== undefined,
    ({ snapshot }) => snapshot.sourceDiskType === SourceDiskType?.toLowerCase(),
  );
  ask(Usage !== undefined, ({ snapshot }) => usageOf(context, snapshot.snapshotId) === Usage);
  ask(Category !== undefined && Category.toLowerCase() !== 'standard', () => false);
  ask(ResourceGroupId !== undefined, (seen) => groupOfSeen(seen) === ResourceGroupId);
  ask(Filter !== undefined, ({ snapshot }) => isMadeWithin(snapshot.createdAt, Filter ?? []));
  return tests;
}

/** What an index answers of one's own snapshots, asked of shared ones and of those given by id. */
function facetTests({ SnapshotName, Encrypted, Status, Tag }: SnapshotFilters): Test[] {
  const tests: Test[] = [];
  const ask = (isAsked: boolean, test: Test): void => {
    if (isAsked) tests.push(test);
  };
  const isExact = SnapshotName !== undefined && !isPattern(SnapshotName);
  ask(isExact, ({ snapshot }) => snapshot.name === SnapshotName);
  ask(Encrypted !== undefined, ({ snapshot }) => (snapshot.encryption !== null) === Encrypted);
  ask(Status !== undefined && Status !== 'all', ({ snapshot }) => snapshot.status === Status);
  ask(Tag !== undefined, (seen) => hasTags(tagsOf(seen), Tag ?? []));
  return tests;
}

/** Tags are the owner's alone; a shared snapshot says by whom it is shared. */
function tagsOf({ snapshot, share }: SeenSnapshot): Readonly<Record<string, string>> {
  if (share === null) return snapshot.tags;
  const { ownerAccountId, regionId, sourceSnapshotId } = share;
  return { 'acs:ecs:sharedFrom': `${ownerAccountId}:${regionId}:${sourceSnapshotId}` };
}

/** A group is the owner's alone too. */
function groupOfSeen({ snapshot, share }: SeenSnapshot): string {
  return share === null ? groupOf(snapshot) : '';
}

function usageOf(context: ControlContext, snapshotId: string): SnapshotDescription['Usage'] {
  const { metadata } = context;
  const hasImage = metadata.listDocuments('image', `snapshot/${snapshotId}`, 0, 1).total > 0;
  const hasDisk = metadata.listDisks({ sourceSnapshotId: snapshotId }, 0, 1).total > 0;
  if (hasImage) return hasDisk ? 'image_disk' : 'image';
  return hasDisk ? 'disk' : 'none';
}

function describe(context: ControlContext, seen: SeenSnapshot): SnapshotDescription {
  const { snapshot, share } = seen;
  const isCopy = snapshot.sourceSnapshotId !== null;
  return {
    SnapshotId: share?.snapshotId ?? snapshot.snapshotId,
    SnapshotName: snapshot.name,
    Description: snapshot.description,
    RegionId: snapshot.regionId,
    SourceDiskId: snapshot.sourceDiskId,
    SourceDiskSize: snapshot.sizeBytes / GIB,
    SourceDiskType: snapshot.sourceDiskType,
    SourceSnapshotId: snapshot.sourceSnapshotId ?? '',
    SourceRegionId: snapshot.sourceRegionId ?? '',
    Status: snapshot.status,
    Progress: `${snapshotProgress(context, snapshot)}%`,
    Available: snapshot.status === 'accomplished' || (isCopy && snapshot.status === 'progressing'),
    Encrypted: snapshot.encryption !== null,
    KMSKeyId: snapshot.encryption?.keyId ?? '',
    RetentionDays: snapshot.retentionDays,
    SnapshotType: 'user',
    Category: 'standard',
    Usage: usageOf(context, snapshot.snapshotId),
    ResourceGroupId: groupOfSeen(seen),
    CreationTime: isoSeconds(snapshot.createdAt),
    Tags: describeTags(tagsOf(seen)),
  };
}
