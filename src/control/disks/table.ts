/** The verbs on disks. */
import type { VerbRows } from '../verb-row.ts';
import { attachDisk, attachDiskSchema, detachDisk, detachDiskSchema } from './attach-disk.ts';
import { cloneDisk, cloneDiskSchema, cloneDisks, cloneDisksSchema } from './clone-disk.ts';
import { createDisk, createDiskSchema } from './create-disk.ts';
import { deleteDisk, deleteDiskSchema } from './delete-disk.ts';
import { describeDisks, describeDisksSchema } from './describe-disks.ts';
import { modifyDiskChargeType, modifyDiskChargeTypeSchema } from './modify-charge-type.ts';
import {
  modifyDiskAttribute,
  modifyDiskAttributeSchema,
  modifyDiskSpec,
  modifyDiskSpecSchema,
} from './modify-disk.ts';
import { reInitDisk, reInitDiskSchema, resetDisk, resetDiskSchema } from './reset-disk.ts';
import { resizeDisk, resizeDiskSchema } from './resize-disk.ts';
import type { DiskVerbs } from './types.ts';

const write = { access: 'write', service: 'ecs' } as const;
const read = { access: 'read', service: 'ecs' } as const;

export const DISK_VERBS: VerbRows<DiskVerbs> = {
  CreateDisk: { schema: createDiskSchema, run: createDisk, ...write },
  DescribeDisks: { schema: describeDisksSchema, run: describeDisks, ...read },
  DeleteDisk: { schema: deleteDiskSchema, run: deleteDisk, ...write },
  AttachDisk: { schema: attachDiskSchema, run: attachDisk, ...write },
  DetachDisk: { schema: detachDiskSchema, run: detachDisk, ...write },
  ReInitDisk: { schema: reInitDiskSchema, run: reInitDisk, ...write },
  ResetDisk: { schema: resetDiskSchema, run: resetDisk, ...write },
  ResizeDisk: { schema: resizeDiskSchema, run: resizeDisk, ...write },
  ModifyDiskAttribute: {
    schema: modifyDiskAttributeSchema,
    run: modifyDiskAttribute,
    ...write,
  },
  ModifyDiskSpec: { schema: modifyDiskSpecSchema, run: modifyDiskSpec, ...write },
  ModifyDiskChargeType: {
    schema: modifyDiskChargeTypeSchema,
    run: modifyDiskChargeType,
    ...write,
  },
  CloneDisk: { schema: cloneDiskSchema, run: cloneDisk, ...write },
  CloneDisks: { schema: cloneDisksSchema, run: cloneDisks, ...write },
};
