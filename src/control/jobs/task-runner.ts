/**
 * Tasks: work in the background that outlives a restart. So far re-encryption.
 *
 *                 ┌────────────── resume ──────────────┐
 *                 ▼                                    │
 *   reencrypt ─▶ running ──pause, or refused──▶ paused ┘──cancel──▶ cancelled
 *                 │  └──────────cancel─────────────────────────────────▲
 *                 ├──all is moved──▶ finished
 *                 └──damage, or a key that is gone──▶ failed
 *
 * 1. A task's record is durable before it begins, and says at any time what is to be done: opening
 *    a plane goes on with those running, and with those that a refusal has paused.
 * 2. A task that a refusal has paused (a disabled key, no space) has its code, and tries again
 *    after TASK_RETRY_MS, then twice as late each time, and when it is told to resume. One that a
 *    caller has paused has no code.
 * 3. A resource has at most one task that is running or paused.
 * 4. Cancelled, failed: the resource is as good as before, but needs all the keys of its layers.
 *    A copy that was not finished is removed.
 *
 * **Thread:** main.
 */
import { type ErrorCode, PlaneError } from '../../base/errors.ts';
import {
  STORE_RANGE_ENTRIES_MAX,
  TASK_PROGRESS_MS,
  TASK_RETRY_MS,
  TASK_RETRY_MS_MAX,
} from '../../limits.ts';
import type { TaskRecord } from '../../record/document.ts';
import { makeTaskId } from '../../record/ids.ts';
import { removeTrees } from '../layers.ts';
import { findResource, reencryptResource, type TaskContext } from './reencrypt-resource.ts';
import { TaskRun } from './task-run.ts';

const REENCRYPT_ACTION = 'Reencrypt';

/** What no later attempt can do better. */
const FINAL_CODES: ReadonlySet<ErrorCode> = new Set([
  'ChecksumMismatch',
  'DataLost',
  'WrappedKeyInvalid',
  'Forbidden.KeyNotFound',
]);

export class TaskRunner {
  private readonly context: TaskContext;
  private readonly runs = new Map<string, TaskRun>();
  private isClosed = false;

  constructor(context: TaskContext) {
    this.context = context;
  }

  /** Goes on with what was under way when the plane was closed, or ended. */
  async start(): Promise<void> {
    const { metadata, shards } = this.context;
    for (const state of ['running', 'paused'] as const) {
      const tasks = metadata.listDocuments('task', `state/${state}`, 0, STORE_RANGE_ENTRIES_MAX);
      for (const task of tasks.records) {
        // One whose resource is gone notices it when it is launched, also if a caller paused it.
        const isGone = findResource(this.context, task.resourceId) === undefined;
        if (state === 'running' || task.code !== '' || isGone) this.launch(task);
      }
    }
    for (let shardIndex = 0; shardIndex < shards.count; shardIndex++) {
      for (const id of metadata.idsOfSeveralTrees(shardIndex)) {
        // Its record was committed, and the plane ended before its task's was.
        const last = this.tasksOf(id).at(-1);
        if (last === undefined || last.state === 'finished') await this.reencrypt(id);
      }
    }
  }

  /** See PlaneContext.tasks. */
  async reencrypt(resourceId: string, bytesPerSecond = 0): Promise<string | null> {
    const record = findResource(this.context, resourceId);
    if (record === undefined || record.layers.length === 1) return null;
    const live = this.liveTaskIdOf(resourceId);
    if (live !== null) return live;
    const { randomBytes, clock } = this.context;
    const taskId = makeTaskId(randomBytes);
    const task: TaskRecord = {
      taskId,
      groupId: taskId,
      accountId: record.accountId,
      regionId: record.regionId,
      action: REENCRYPT_ACTION,
      resourceId,
      state: 'running',
      code: '',
      doneSectors: 0,
      totalSectors: 0,
      bytesPerSecond,
      createdAt: clock.now(),
      finishedAt: null,
    };
    await this.put(task);
    this.launch(task);
    return taskId;
  }

  /** @throws PlaneError IncorrectTaskStatus */
  pause(taskId: string): Promise<void> {
    return this.change(taskId, 'pause', async (task) => {
      await this.put({ ...task, state: 'paused', code: '' });
    });
  }

  /** @throws PlaneError IncorrectTaskStatus */
  resume(taskId: string, bytesPerSecond?: number): Promise<void> {
    return this.change(taskId, 'resume', async (task) => {
      const pace = bytesPerSecond ?? task.bytesPerSecond;
      const running: TaskRecord = { ...task, state: 'running', code: '', bytesPerSecond: pace };
      await this.put(running);
      this.launch(running);
    });
  }

  /** @throws PlaneError IncorrectTaskStatus */
  cancel(taskId: string): Promise<void> {
    return this.change(taskId, 'cancel', async (task) => {
      const { context } = this;
      const finishedAt = context.clock.now();
      const cancelled: TaskRecord = { ...task, state: 'cancelled', code: '', finishedAt };
      const putDocuments = [{ kind: 'task', record: cancelled } as const];
      const copy = context.metadata.getSnapshot(task.resourceId);
      if (copy?.status !== 'progressing') {
        await context.metadata.commit({ putDocuments });
        return;
      }
      await context.metadata.commit({ putDocuments, removeSnapshots: [copy.snapshotId] });
      await removeTrees(context, copy);
    });
  }

  /** Stops every task where it is. Idempotent. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all([...this.runs.values()].map((run) => run.stop()));
  }

  /** See PlaneContext.tasks. */
  liveTaskIdOf(resourceId: string): string | null {
    return this.tasksOf(resourceId).find(isLive)?.taskId ?? null;
  }

  /** Tasks of a resource, oldest first. */
  private tasksOf(resourceId: string): TaskRecord[] {
    const group = `resource/${resourceId}`;
    const found = this.context.metadata.listDocuments('task', group, 0, STORE_RANGE_ENTRIES_MAX);
    return found.records.sort((a, b) => a.createdAt - b.createdAt);
  }

  /** Stops a task, then does something with its record, unless it has ended by itself. */
  private change(
    taskId: string,
    verb: string,
    act: (task: TaskRecord) => Promise<void>,
  ): Promise<void> {
    return this.context.locks.hold([taskId], async () => {
      this.requireLive(taskId, verb);
      await this.runs.get(taskId)?.stop();
      await act(this.requireLive(taskId, verb));
    });
  }

  private requireLive(taskId: string, verb: string): TaskRecord {
    const task = this.context.metadata.getDocument('task', taskId);
    if (task !== undefined && isLive(task)) return task;
    const state = task?.state ?? 'unknown';
    const what = `expected a running or paused task to ${verb}, ${taskId} is ${state}`;
    throw new PlaneError('IncorrectTaskStatus', what);
  }

  private launch(task: TaskRecord): void {
    if (this.isClosed || this.runs.has(task.taskId)) return;
    const run = new TaskRun(task.bytesPerSecond);
    this.runs.set(task.taskId, run);
    run.ended = this.runToEnd(task.taskId, run).finally(() => this.runs.delete(task.taskId));
  }

  private async runToEnd(taskId: string, run: TaskRun): Promise<void> {
    let retryMs = TASK_RETRY_MS;
    while (!run.isStopped) {
      const task = this.context.metadata.getDocument('task', taskId);
      if (task === undefined || !isLive(task)) return;
      try {
        if (await this.attempt(task, run)) return;
      } catch (error) {
        if (!(error instanceof PlaneError)) throw error;
        if (run.isStopped || (await this.noteRefusal(taskId, error))) return;
        await run.wait(retryMs);
        retryMs = Math.min(2 * retryMs, TASK_RETRY_MS_MAX);
      }
    }
  }

  /** @returns true if the task has ended */
  private async attempt(task: TaskRecord, run: TaskRun): Promise<boolean> {
    const { clock } = this.context;
    let now: TaskRecord = task;
    let writtenAt = clock.monotonic();
    const finished = (): TaskRecord => ({
      ...now,
      state: 'finished',
      code: '',
      totalSectors: now.doneSectors,
      finishedAt: clock.now(),
    });
    const outcome = await reencryptResource(
      this.context,
      task.resourceId,
      run,
      async ({ movedSectors, remainingSectors }) => {
        const doneSectors = now.doneSectors + movedSectors;
        const isFirst = now.totalSectors === 0 || now.state !== 'running';
        now = { ...now, state: 'running', code: '', doneSectors };
        now = { ...now, totalSectors: doneSectors + remainingSectors };
        if (!isFirst && clock.monotonic() - writtenAt < TASK_PROGRESS_MS) return;
        writtenAt = clock.monotonic();
        await this.put(now);
      },
      finished,
    );
    if (outcome === 'gone') await this.put({ ...finished(), state: 'cancelled' });
    if (outcome === 'stopped') await this.put(now);
    return true;
  }

  /** Writes down why a task does not get on. @returns true if it never will */
  private async noteRefusal(taskId: string, error: PlaneError): Promise<boolean> {
    const { metadata, clock } = this.context;
    const { code } = error;
    const isFinal = FINAL_CODES.has(code);
    try {
      const task = metadata.getDocument('task', taskId);
      if (task === undefined) return true;
      if (isFinal) await this.put({ ...task, state: 'failed', code, finishedAt: clock.now() });
      else if (task.code !== code) await this.put({ ...task, state: 'paused', code });
    } catch (failure) {
      // The metadata takes no changes any more: what the record says is what the next open reads.
      if (!(failure instanceof PlaneError)) throw failure;
      return true;
    }
    return isFinal;
  }

  private put(task: TaskRecord): Promise<void> {
    return this.context.metadata.commit({ putDocuments: [{ kind: 'task', record: task }] });
  }
}

function isLive({ state }: TaskRecord): boolean {
  return state === 'running' || state === 'paused';
}
