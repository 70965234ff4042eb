/**
 * StartInstances, StopInstances: many at once.
 *
 *   AllTogether   every one is checked first; if one may not, none is touched and the call refused
 *   SuccessFirst  each by itself; the answer says of each what became of it
 *
 * **Source:** ECS StartInstances, StopInstances, parameter BatchOptimization.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { BATCH_INSTANCES_MAX } from '../../limits.ts';
import type { InstanceStatus } from '../../record/document.ts';
import type { ControlContext } from '../context.ts';
import { idSchema } from '../schemas.ts';
import { type HeldInstance, holdInstances, start, stop } from './instance-volumes.ts';
import type { InstanceResponse, InstanceVerbs } from './types.ts';

const batch = {
  InstanceId: v.pipe(v.array(idSchema), v.minLength(1), v.maxLength(BATCH_INSTANCES_MAX)),
  BatchOptimization: v.optional(v.picklist(['AllTogether', 'SuccessFirst'])),
};

export const startInstancesSchema = v.strictObject(batch);
export const stopInstancesSchema = v.strictObject({
  ...batch,
  ForceStop: v.optional(v.boolean()),
  StoppedMode: v.optional(v.string()),
});

/** What is done to instances that are held: to all of them, or it throws. */
interface Change {
  readonly to: InstanceStatus;
  readonly act: (context: ControlContext, held: readonly HeldInstance[]) => Promise<void>;
}

export function startInstances(
  context: ControlContext,
  parameters: InstanceVerbs['StartInstances']['parameters'],
): Promise<InstanceVerbs['StartInstances']['result']> {
  return changeAll(context, parameters, { to: 'Running', act: start });
}

export function stopInstances(
  context: ControlContext,
  parameters: InstanceVerbs['StopInstances']['parameters'],
): Promise<InstanceVerbs['StopInstances']['result']> {
  return changeAll(context, parameters, { to: 'Stopped', act: stop });
}

async function changeAll(
  context: ControlContext,
  { InstanceId, BatchOptimization }: InstanceVerbs['StartInstances']['parameters'],
  change: Change,
): Promise<{ readonly InstanceResponses: readonly InstanceResponse[] }> {
  const ids = [...new Set(InstanceId)];
  if (BatchOptimization !== 'SuccessFirst') {
    return { InstanceResponses: await changeTogether(context, ids, change) };
  }
  const InstanceResponses: InstanceResponse[] = [];
  for (const id of ids) InstanceResponses.push(await changeOne(context, id, change));
  return { InstanceResponses };
}

function changeTogether(
  context: ControlContext,
  ids: readonly string[],
  { to, act }: Change,
): Promise<InstanceResponse[]> {
  return holdInstances(context, ids, async (held) => {
    await act(context, held);
    return held.map(({ instance }) => ({
      InstanceId: instance.instanceId,
      Code: '200',
      Message: 'success',
      PreviousStatus: instance.status,
      CurrentStatus: to,
    }));
  });
}

async function changeOne(
  context: ControlContext,
  InstanceId: string,
  change: Change,
): Promise<InstanceResponse> {
  try {
    const [response] = await changeTogether(context, [InstanceId], change);
    return response as InstanceResponse;
  } catch (error) {
    // A dry run ends at the first that would have been changed.
    if (!(error instanceof PlaneError) || error.code === 'DryRunOperation') throw error;
    const { code: Code, message: Message } = error.toRecord();
    const status = context.metadata.getDocument('instance', InstanceId)?.status;
    const shown = Code === 'InvalidInstanceId.NotFound' ? '' : (status ?? '');
    return { InstanceId, Code, Message, PreviousStatus: shown, CurrentStatus: shown };
  }
}
