/** PauseTask, ResumeTask, CancelTask: what a task does when told so is in task-runner.ts. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import type { TaskRecord } from '../../record/document.ts';
import { isTaskId } from '../../record/ids.ts';
import type { ControlContext } from '../context.ts';
import { isInScope } from '../find.ts';
import { idSchema } from '../schemas.ts';
import type { TaskVerbs } from './types.ts';

/** Bytes per second: at least a sector, at most what a double holds exactly. */
export const paceSchema = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(Number.MAX_SAFE_INTEGER),
);

export const taskIdSchema = v.strictObject({ TaskId: idSchema });
export const resumeTaskSchema = v.strictObject({
  TaskId: idSchema,
  BytesPerSecond: v.optional(paceSchema),
});

export async function pauseTask(
  context: ControlContext,
  { TaskId }: TaskVerbs['PauseTask']['parameters'],
): Promise<TaskVerbs['PauseTask']['result']> {
  findTask(context, TaskId);
  context.passValidation();
  await context.tasks.pause(TaskId);
  return {};
}

export async function resumeTask(
  context: ControlContext,
  { TaskId, BytesPerSecond }: TaskVerbs['ResumeTask']['parameters'],
): Promise<TaskVerbs['ResumeTask']['result']> {
  findTask(context, TaskId);
  context.passValidation();
  await context.tasks.resume(TaskId, BytesPerSecond);
  return {};
}

export async function cancelTask(
  context: ControlContext,
  { TaskId }: TaskVerbs['CancelTask']['parameters'],
): Promise<TaskVerbs['CancelTask']['result']> {
  findTask(context, TaskId);
  context.passValidation();
  await context.tasks.cancel(TaskId);
  return {};
}

/** @throws PlaneError InvalidTaskId.NotFound */
function findTask(context: ControlContext, taskId: string): TaskRecord {
  const task = isTaskId(taskId) ? context.metadata.getDocument('task', taskId) : undefined;
  if (task !== undefined && isInScope(context, task)) return task;
  const shown = JSON.stringify(taskId.slice(0, 64));
  throw new PlaneError('InvalidTaskId.NotFound', `there is no task ${shown}`);
}
