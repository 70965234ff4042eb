/**
 * DescribeInstances, DescribeInstanceStatus: instances by id, by image, or all of an account in a
 * region.
 */
import * as v from 'valibot';
import { scopeGroup } from '../../meta/documents.ts';
import type { Listing } from '../../meta/metadata.ts';
import type { InstanceRecord } from '../../record/document.ts';
import { isInstanceId } from '../../record/ids.ts';
import { tagsSchema } from '../access/tags.ts';
import { chargeTypeOf, chargeTypeSchema } from '../charge-types.ts';
import type { ControlContext } from '../context.ts';
import { isInScope } from '../find.ts';
import { listingOf, matchesName, pageOf, tokenPageEntries } from '../list-pages.ts';
import { groupOf, resourceGroupSchema } from '../resource-groups.ts';
import { idListSchema, idSchema, isoSeconds, pageEntries } from '../schemas.ts';
import { describeTags, hasTags } from '../tag-parameters.ts';
import { familyOf } from './instance-types.ts';
import type { InstanceDescription, InstanceVerbs } from './types.ts';

export const describeInstancesSchema = v.strictObject({
  ...tokenPageEntries,
  InstanceIds: v.optional(idListSchema),
  InstanceName: v.optional(v.string()),
  ImageId: v.optional(idSchema),
  InstanceType: v.optional(v.string()),
  Status: v.optional(v.picklist(['Pending', 'Running', 'Starting', 'Stopping', 'Stopped'])),
  ZoneId: v.optional(v.string()),
  InstanceChargeType: v.optional(chargeTypeSchema),
  ResourceGroupId: v.optional(resourceGroupSchema),
  Tag: v.optional(tagsSchema),
});

type Parameters = InstanceVerbs['DescribeInstances']['parameters'];

export async function describeInstances(
  context: ControlContext,
  parameters: Parameters,
): Promise<InstanceVerbs['DescribeInstances']['result']> {
  const list =
    parameters.InstanceIds === undefined
      ? listOf(context)
      : listingOf(byIds(context, parameters.InstanceIds));
  const { records, ...page } = pageOf(parameters, list, predicate(parameters));
  return { ...page, Instances: records.map(describe) };
}

/** Source: ECS DescribeInstanceStatus: 1 to 50 a page, 100 ids. */
export const describeInstanceStatusSchema = v.strictObject({
  ...pageEntries,
  InstanceId: v.optional(idListSchema),
  ZoneId: v.optional(v.string()),
  ClusterId: v.optional(v.string()),
});

export async function describeInstanceStatus(
  context: ControlContext,
  parameters: InstanceVerbs['DescribeInstanceStatus']['parameters'],
): Promise<InstanceVerbs['DescribeInstanceStatus']['result']> {
  const { InstanceId, ZoneId } = parameters;
  const list = InstanceId === undefined ? listOf(context) : listingOf(byIds(context, InstanceId));
  const isThere = (instance: InstanceRecord): boolean => instance.zoneId === ZoneId;
  const { records, TotalCount, PageNumber, PageSize } = pageOf(
    parameters,
    list,
    ZoneId === undefined ? null : isThere,
  );
  const InstanceStatuses = records.map(({ instanceId, status }) => ({
    InstanceId: instanceId,
    Status: status,
  }));
  return { TotalCount, PageNumber, PageSize, InstanceStatuses };
}

function listOf(context: ControlContext): (skip: number, limit: number) => Listing<InstanceRecord> {
  const group = `scope/${scopeGroup(context.accountId, context.regionId)}`;
  return (skip, limit) => context.metadata.listDocuments('instance', group, skip, limit);
}

function byIds(context: ControlContext, ids: readonly string[]): InstanceRecord[] {
  return [...new Set(ids)].flatMap((id) => {
    const found = isInstanceId(id) ? context.metadata.getDocument('instance', id) : undefined;
    return found !== undefined && isInScope(context, found) ? [found] : [];
  });
}

function predicate(parameters: Parameters): ((instance: InstanceRecord) => boolean) | null {
  const { InstanceName, ImageId, InstanceType, Status, ZoneId, Tag } = parameters;
  const { InstanceChargeType, ResourceGroupId } = parameters;
  const wanted = [InstanceName, ImageId, InstanceType, Status, ZoneId, Tag];
  wanted.push(InstanceChargeType, ResourceGroupId);
  if (wanted.every((each) => each === undefined)) return null;
  return (instance) =>
    (InstanceName === undefined || matchesName(instance.name, InstanceName)) &&
    (ImageId === undefined || instance.imageId === ImageId) &&
    (InstanceType === undefined || instance.instanceType === InstanceType) &&
    (Status === undefined || instance.status === Status) &&
    (ZoneId === undefined || instance.zoneId === ZoneId) &&
    (InstanceChargeType === undefined || chargeTypeOf(instance) === InstanceChargeType) &&
    (ResourceGroupId === undefined || groupOf(instance) === ResourceGroupId) &&
    (Tag === undefined || hasTags(instance.tags, Tag));
}

function describe(instance: InstanceRecord): InstanceDescription {
  return {
    InstanceId: instance.instanceId,
    InstanceName: instance.name,
    Description: instance.description,
    HostName: instance.hostName,
    Status: instance.status,
    RegionId: instance.regionId,
    ZoneId: instance.zoneId,
    ImageId: instance.imageId,
    InstanceType: instance.instanceType,
    InstanceTypeFamily: familyOf(instance.instanceType),
    InstanceChargeType: chargeTypeOf(instance),
    ResourceGroupId: groupOf(instance),
    DeletionProtection: instance.deletionProtection,
    IoOptimized: true,
    SerialNumber: instance.instanceId.slice('i-'.length),
    Tags: describeTags(instance.tags),
    CreationTime: isoSeconds(instance.createdAt),
    StartTime: instance.startedAt === null ? '' : isoSeconds(instance.startedAt),
  };
}
