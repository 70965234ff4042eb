/** DescribeTasks: tasks by id, by resource, or all of them, a page at a time. */
import * as v from 'valibot';
import { SECTOR_BYTES } from '../../base/units.ts';
import { STORE_RANGE_ENTRIES_MAX } from '../../limits.ts';
import { scopeGroup } from '../../meta/documents.ts';
import type { TaskRecord, TaskState } from '../../record/document.ts';
import { isDiskId, isImageId, isSnapshotId, isTaskId } from '../../record/ids.ts';
import type { ControlContext } from '../context.ts';
import { isInScope } from '../find.ts';
import { idListSchema, idSchema, isoSeconds, pageEntries, pageWindow } from '../schemas.ts';
import type { TaskDescription, TaskVerbs } from './types.ts';

/** Source: ECS DescribeTasks, TaskStatus; Paused and Cancelled are ours. */
const STATUSES: Readonly<Record<TaskState, string>> = {
  running: 'Processing',
  paused: 'Paused',
  finished: 'Finished',
  cancelled: 'Cancelled',
  failed: 'Failed',
};

export const describeTasksSchema = v.strictObject({
  ...pageEntries,
  TaskGroupId: v.optional(idSchema),
  TaskIds: v.optional(idListSchema),
  ResourceIds: v.optional(idListSchema),
  TaskStatus: v.optional(v.picklist(Object.values(STATUSES))),
  TaskAction: v.optional(v.string()),
});

export async function describeTasks(
  context: ControlContext,
  parameters: TaskVerbs['DescribeTasks']['parameters'],
): Promise<TaskVerbs['DescribeTasks']['result']> {
  const { TaskGroupId, TaskIds, TaskStatus, TaskAction } = parameters;
  const { PageNumber, PageSize, skip } = pageWindow(parameters);
  const found = candidates(context, parameters).filter(
    (task) =>
      isInScope(context, task) &&
      (TaskGroupId === undefined || task.groupId === TaskGroupId) &&
      (TaskIds === undefined || TaskIds.includes(task.taskId)) &&
      (TaskStatus === undefined || STATUSES[task.state] === TaskStatus) &&
      (TaskAction === undefined || task.action === TaskAction),
  );
  const Tasks = found.slice(skip, skip + PageSize).map(describe);
  return { PageNumber, PageSize, TotalCount: found.length, Tasks };
}

/** The fewest tasks that hold all those asked for. */
function candidates(
  { metadata, accountId, regionId }: ControlContext,
  { TaskGroupId, TaskIds, ResourceIds }: TaskVerbs['DescribeTasks']['parameters'],
): TaskRecord[] {
  const inGroup = (group: string): TaskRecord[] =>
    metadata.listDocuments('task', group, 0, STORE_RANGE_ENTRIES_MAX).records;
  if (TaskGroupId !== undefined)
    return isTaskId(TaskGroupId) ? inGroup(`group/${TaskGroupId}`) : [];
  if (ResourceIds !== undefined) {
    const ids = [...new Set(ResourceIds)].filter(isResourceId);
    return ids.flatMap((id) => inGroup(`resource/${id}`));
  }
  if (TaskIds !== undefined) {
    return [...new Set(TaskIds)].filter(isTaskId).flatMap((id) => {
      const task = metadata.getDocument('task', id);
      return task === undefined ? [] : [task];
    });
  }
  return inGroup(`scope/${scopeGroup(accountId, regionId)}`);
}

function isResourceId(id: string): boolean {
  return isDiskId(id) || isSnapshotId(id) || isImageId(id);
}

function describe(task: TaskRecord): TaskDescription {
  return {
    TaskId: task.taskId,
    TaskGroupId: task.groupId,
    TaskAction: task.action,
    TaskStatus: STATUSES[task.state],
    ResourceId: task.resourceId,
    SupportCancel: task.state === 'running' || task.state === 'paused',
    Code: task.code,
    DoneBytes: task.doneSectors * SECTOR_BYTES,
    TotalBytes: task.totalSectors * SECTOR_BYTES,
    BytesPerSecond: task.bytesPerSecond,
    CreationTime: isoSeconds(task.createdAt),
    FinishedTime: task.finishedAt === null ? '' : isoSeconds(task.finishedAt),
  };
}
