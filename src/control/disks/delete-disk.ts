/**
 * DeleteDisk: nobody can attach it any more, and its space is free. The record goes first: a crash
 * before the tree is removed leaves a tree that nobody names, which reconcile.ts removes; snapshots
 * and clones have trees of their own. Its key is not asked about.
 */
import * as v from 'valibot';
import { isDiskId } from '../../record/ids.ts';
import { chargeTypeOf, checkCharge } from '../charge-types.ts';
import type { ControlContext } from '../context.ts';
import { isInScope } from '../find.ts';
import { removeTrees } from '../layers.ts';
import { idSchema } from '../schemas.ts';
import { checkDiskState } from './state-rules.ts';
import type { DiskVerbs } from './types.ts';

export const deleteDiskSchema = v.strictObject({ DiskId: idSchema });

export function deleteDisk(
  context: ControlContext,
  parameters: DiskVerbs['DeleteDisk']['parameters'],
): Promise<DiskVerbs['DeleteDisk']['result']> {
  const { DiskId } = parameters;
  return context.locks.hold([DiskId], async () => {
    const disk = isDiskId(DiskId) ? context.metadata.getDisk(DiskId) : undefined;
    // ECS DeleteDisk, parameter DiskId: one that does not exist is ignored.
    if (disk === undefined || !isInScope(context, disk)) return {};
    checkDiskState('DeleteDisk', disk);
    const charge = chargeTypeOf(disk);
    checkCharge({ verb: 'DeleteDisk', instance: 'none', disk: charge, use: disk.type }, DiskId);
    context.passValidation();
    await context.metadata.commit({ removeDisks: [DiskId] });
    await removeTrees(context, disk);
    return {};
  });
}
