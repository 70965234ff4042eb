/** The verbs on background tasks. */
import type { VerbRows } from '../verb-row.ts';
import { describeTasks, describeTasksSchema } from './describe-tasks.ts';
import { rekeyDisk, rekeyDiskSchema } from './rekey-disk.ts';
import { cancelTask, pauseTask, resumeTask, resumeTaskSchema, taskIdSchema } from './task-verbs.ts';
import type { TaskVerbs } from './types.ts';

const write = { access: 'write', service: 'ecs' } as const;
const read = { access: 'read', service: 'ecs' } as const;

export const TASK_VERBS: VerbRows<TaskVerbs> = {
  DescribeTasks: { schema: describeTasksSchema, run: describeTasks, ...read },
  PauseTask: { schema: taskIdSchema, run: pauseTask, ...write },
  ResumeTask: { schema: resumeTaskSchema, run: resumeTask, ...write },
  CancelTask: { schema: taskIdSchema, run: cancelTask, ...write },
  RekeyDisk: { schema: rekeyDiskSchema, run: rekeyDisk, ...write },
};
