/**
 * Resource groups: a resource is in one, the account's default group, unless another is named when
 * it is made or by JoinResourceGroup. Groups are made by Resource Management, which is not here: an
 * id of the right form is taken for that of a group there is.
 *
 * **Source:** ECS API, parameter ResourceGroupId; RunInstances, InvalidResourceGroup.NotFound.
 */
import * as v from 'valibot';
import { PlaneError } from '../base/errors.ts';
import type { OwnedRecord } from '../record/resource.ts';

export const resourceGroupSchema = v.pipe(v.string(), v.maxLength(64));

const GROUP_ID = /^rg-[a-z0-9]+$/i;

/**
 * The field of a record that says its group.
 *
 * @param id undefined and empty: the default group
 * @throws PlaneError InvalidResourceGroup.NotFound
 */
export function inGroup(id: string | undefined): Pick<OwnedRecord, 'resourceGroupId'> {
  if (id === undefined || id === '') return {};
  if (GROUP_ID.test(id)) return { resourceGroupId: id };
  const shown = JSON.stringify(id);
  throw new PlaneError('InvalidResourceGroup.NotFound', `${shown} is no id of a resource group`);
}

/** A resource in another group. */
export function moved<R extends OwnedRecord>(record: R, id: string): R {
  const { resourceGroupId: _, ...kept } = record;
  return { ...kept, ...inGroup(id) } as R;
}

/** As the Describe verbs show it: empty for the default group. */
export function groupOf({ resourceGroupId }: OwnedRecord): string {
  return resourceGroupId ?? '';
}
