/** The verbs on instances. */
import type { VerbRows } from '../verb-row.ts';
import {
  startInstances,
  startInstancesSchema,
  stopInstances,
  stopInstancesSchema,
} from './batch-power.ts';
import {
  describeInstanceStatus,
  describeInstanceStatusSchema,
  describeInstances,
  describeInstancesSchema,
} from './describe-instances.ts';
import { modifyInstanceChargeType, modifyInstanceChargeTypeSchema } from './modify-charge-type.ts';
import * as power from './power.ts';
import { replaceSystemDisk, replaceSystemDiskSchema } from './replace-system-disk.ts';
import {
  createInstance,
  createInstanceSchema,
  runInstances,
  runInstancesSchema,
} from './run-instances.ts';
import type { InstanceVerbs } from './types.ts';

const write = { access: 'write', service: 'ecs' } as const;
const read = { access: 'read', service: 'ecs' } as const;

export const INSTANCE_VERBS: VerbRows<InstanceVerbs> = {
  RunInstances: { schema: runInstancesSchema, run: runInstances, ...write },
  CreateInstance: { schema: createInstanceSchema, run: createInstance, ...write },
  StartInstance: { schema: power.startInstanceSchema, run: power.startInstance, ...write },
  StopInstance: { schema: power.stopInstanceSchema, run: power.stopInstance, ...write },
  StartInstances: { schema: startInstancesSchema, run: startInstances, ...write },
  StopInstances: { schema: stopInstancesSchema, run: stopInstances, ...write },
  RebootInstance: { schema: power.rebootInstanceSchema, run: power.rebootInstance, ...write },
  DeleteInstance: { schema: power.deleteInstanceSchema, run: power.deleteInstance, ...write },
  DeleteInstances: { schema: power.deleteInstancesSchema, run: power.deleteInstances, ...write },
  ModifyInstanceAttribute: {
    schema: power.modifyInstanceAttributeSchema,
    run: power.modifyInstanceAttribute,
    ...write,
  },
  ModifyInstanceChargeType: {
    schema: modifyInstanceChargeTypeSchema,
    run: modifyInstanceChargeType,
    ...write,
  },
  ReplaceSystemDisk: { schema: replaceSystemDiskSchema, run: replaceSystemDisk, ...write },
  DescribeInstanceStatus: {
    schema: describeInstanceStatusSchema,
    run: describeInstanceStatus,
    ...read,
  },
  DescribeInstances: { schema: describeInstancesSchema, run: describeInstances, ...read },
};
