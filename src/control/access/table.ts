/** The verbs on regions, tags, resource groups and account-level default encryption. */
import * as v from 'valibot';
import * as keyTags from '../keys/key-tags.ts';
import type { Api, VerbRows } from '../verb-row.ts';
import * as byDefault from './default-encryption.ts';
import { describeRegions, describeZones, noParametersSchema } from './describe-regions.ts';
import { joinResourceGroup, joinResourceGroupSchema } from './join-resource-group.ts';
import * as tags from './tags.ts';
import type { AccessVerbs } from './types.ts';

const read = { access: 'read', service: 'ecs' } as const;
const write = { access: 'write', service: 'ecs' } as const;
const none = { schema: noParametersSchema } as const;

/** Both APIs have verbs of these names; that of a key is the KMS's. */
function serviceOf({ ResourceType }: { readonly ResourceType: string }): Api {
  return ResourceType === 'key' ? 'kms' : 'ecs';
}

export const ACCESS_VERBS: VerbRows<AccessVerbs> = {
  DescribeRegions: { ...none, run: describeRegions, ...read },
  DescribeZones: { ...none, run: describeZones, ...read },
  EnableDiskEncryptionByDefault: { ...none, run: byDefault.enableByDefault, ...write },
  DisableDiskEncryptionByDefault: { ...none, run: byDefault.disableByDefault, ...write },
  DescribeDiskEncryptionByDefaultStatus: { ...none, run: byDefault.describeByDefault, ...read },
  ModifyDiskDefaultKMSKeyId: {
    schema: byDefault.keySchema,
    run: byDefault.modifyDefaultKey,
    ...write,
  },
  ResetDiskDefaultKMSKeyId: { ...none, run: byDefault.resetDefaultKey, ...write },
  DescribeDiskDefaultKMSKeyId: { ...none, run: byDefault.describeDefaultKey, ...read },
  JoinResourceGroup: { schema: joinResourceGroupSchema, run: joinResourceGroup, ...write },
  TagResources: {
    schema: v.variant('ResourceType', [tags.tagResourcesSchema, keyTags.tagResourcesSchema]),
    run: (context, parameters) =>
      parameters.ResourceType === 'key'
        ? keyTags.tagResources(context, parameters)
        : tags.tagResources(context, parameters),
    serviceOf,
    ...write,
  },
  UntagResources: {
    schema: v.variant('ResourceType', [tags.untagResourcesSchema, keyTags.untagResourcesSchema]),
    run: (context, parameters) =>
      parameters.ResourceType === 'key'
        ? keyTags.untagResources(context, parameters)
        : tags.untagResources(context, parameters),
    serviceOf,
    ...write,
  },
  ListTagResources: {
    schema: v.variant('ResourceType', [
      tags.listTagResourcesSchema,
      keyTags.listTagResourcesSchema,
    ]),
    run: (context, parameters) =>
      parameters.ResourceType === 'key'
        ? keyTags.listTagResources(context, parameters)
        : tags.listTagResources(context, parameters),
    serviceOf,
    ...read,
  },
};
