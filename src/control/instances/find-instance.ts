/** Instances by the ids callers give, and what belongs to them. */
import { PlaneError } from '../../base/errors.ts';
import { STORE_RANGE_ENTRIES_MAX } from '../../limits.ts';
import type { Metadata } from '../../meta/metadata.ts';
import type { InstanceRecord } from '../../record/document.ts';
import { isInstanceId } from '../../record/ids.ts';
import type { DiskRecord } from '../../record/resource.ts';
import { type FindContext, isInScope } from '../find.ts';

/** @throws PlaneError InvalidInstanceId.NotFound */
export function findInstance(context: FindContext, instanceId: string): InstanceRecord {
  const isId = isInstanceId(instanceId);
  const instance = isId ? context.metadata.getDocument('instance', instanceId) : undefined;
  if (instance !== undefined && isInScope(context, instance)) return instance;
  const shown = JSON.stringify(String(instanceId).slice(0, 64));
  throw new PlaneError('InvalidInstanceId.NotFound', `there is no instance ${shown}`);
}

/** Every disk that is attached to an instance, the system disk first. */
export function disksOfInstance(metadata: Metadata, instanceId: string): DiskRecord[] {
  const { records } = metadata.listDisks({ instanceId }, 0, STORE_RANGE_ENTRIES_MAX);
  return records.sort((a, b) => (a.device < b.device ? -1 : 1));
}
