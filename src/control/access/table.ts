/** The verbs on regions, tags and account-level default encryption. */
import type { VerbRows } from '../verb-row.ts';
import * as byDefault from './default-encryption.ts';
import { describeRegions, describeZones, noParametersSchema } from './describe-regions.ts';
import * as tags from './tags.ts';
import type { AccessVerbs } from './types.ts';

const read = { access: 'read', service: 'ecs' } as const;
const write = { access: 'write', service: 'ecs' } as const;
const none = { schema: noParametersSchema } as const;

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
  TagResources: { schema: tags.tagResourcesSchema, run: tags.tagResources, ...write },
  UntagResources: { schema: tags.untagResourcesSchema, run: tags.untagResources, ...write },
  ListTagResources: { schema: tags.listTagResourcesSchema, run: tags.listTagResources, ...read },
};
