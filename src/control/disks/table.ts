/** The verbs on disks. */
import type { VerbRows } from '../verb-row.ts';
import { cloneDisk, cloneDiskSchema } from './clone-disk.ts';
import { createDisk, createDiskSchema } from './create-disk.ts';
import { deleteDisk, deleteDiskSchema } from './delete-disk.ts';
import { describeDisks, describeDisksSchema } from './describe-disks.ts';
import { resizeDisk, resizeDiskSchema } from './resize-disk.ts';
import type { DiskVerbs } from './types.ts';

const write = { access: 'write', service: 'ecs' } as const;
const read = { access: 'read', service: 'ecs' } as const;

export const DISK_VERBS: VerbRows<DiskVerbs> = {
  CreateDisk: { schema: createDiskSchema, run: createDisk, ...write },
  DescribeDisks: { schema: describeDisksSchema, run: describeDisks, ...read },
  DeleteDisk: { schema: deleteDiskSchema, run: deleteDisk, ...write },
  ResizeDisk: { schema: resizeDiskSchema, run: resizeDisk, ...write },
  CloneDisk: { schema: cloneDiskSchema, run: cloneDisk, ...write },
};
