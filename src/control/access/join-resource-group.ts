/** JoinResourceGroup: a disk, snapshot, image or instance moved to another resource group. */
import * as v from 'valibot';
import type { ControlContext } from '../context.ts';
import { resourceGroupSchema } from '../resource-groups.ts';
import { idSchema } from '../schemas.ts';
import { findTagged } from './tagged.ts';
import type { AccessVerbs } from './types.ts';

export const joinResourceGroupSchema = v.strictObject({
  ResourceType: v.picklist(['disk', 'snapshot', 'image', 'instance']),
  ResourceId: idSchema,
  ResourceGroupId: resourceGroupSchema,
});

/** @throws PlaneError InvalidResourceId.NotFound, InvalidResourceGroup.NotFound */
export function joinResourceGroup(
  context: ControlContext,
  parameters: AccessVerbs['JoinResourceGroup']['parameters'],
): Promise<AccessVerbs['JoinResourceGroup']['result']> {
  const { ResourceType, ResourceId, ResourceGroupId } = parameters;
  return context.locks.hold([ResourceId], async () => {
    const found = findTagged(context, ResourceType, ResourceId);
    const change = found.withGroup(ResourceGroupId);
    context.passValidation();
    await context.metadata.commit(change);
    return {};
  });
}
