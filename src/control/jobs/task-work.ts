/**
 * What a task does, by its action: the part of it that task-runner.ts does not know.
 *
 * **Thread:** main.
 */
import { type ErrorCode, PlaneError } from '../../base/errors.ts';
import type { TaskRecord } from '../../record/document.ts';
import type { DiskRecord, SnapshotRecord } from '../../record/resource.ts';
import type { OpenReencryption, VolumeToOpen } from '../../router/volume-to-open.ts';
import { keyUseEntries } from '../audit/audit-call.ts';
import type { PlaneContext } from '../context.ts';
import type { ExportFiles } from './export-files.ts';
import type { TaskRun } from './task-run.ts';

/** A volume that is only read. */
export interface VolumeReader {
  /** @throws PlaneError as Disk.read() of types.ts */
  read(offset: number, into: Uint8Array): Promise<Uint8Array>;
  /** As Disk.allocation() of types.ts. */
  allocation(
    offset: number,
    length: number,
  ): Promise<readonly { readonly length: number; readonly isHole: boolean }[]>;
  /** Erases its keys. */
  close(): Promise<void>;
}

/** Volumes, as tasks need them. */
export interface TaskVolumes {
  openReencryption(volume: VolumeToOpen): Promise<OpenReencryption>;
  /** Opens a volume beside all others, under a name that no other open volume has. */
  openReader(volume: VolumeToOpen): Promise<VolumeReader>;
  /** Of the open volumes of a disk or snapshot; nothing if it is not open. */
  dropLowerLayers(resourceId: string): Promise<void>;
}

/** What a task is given: the plane without the tasks. */
export type TaskContext = Omit<PlaneContext, 'tasks'> & {
  readonly taskVolumes: TaskVolumes;
  /** null: the plane exports nothing. */
  readonly exportFiles: ExportFiles | null;
};

/** done; gone: there is no such resource any more; stopped: told to. */
export type TaskOutcome = 'done' | 'gone' | 'stopped';

export interface TaskProgress {
  readonly doneSectors: number;
  readonly totalSectors: number;
}

export interface TaskWork {
  /** What no later attempt can do better. */
  readonly finalCodes: ReadonlySet<ErrorCode>;
  /** Whether what the task is about is not there any more. */
  isGone(context: TaskContext, task: TaskRecord): boolean;
  /**
   * Works until all is done, or the run is told to stop.
   *
   * @param report told what each step did
   * @param settle to be called by report before it writes down a progress
   * @param finished the task's record when it is done: to be committed with the last change
   * @throws PlaneError what KMS, a shard or the metadata refuses with: it may be called again
   */
  attempt(
    context: TaskContext,
    task: TaskRecord,
    run: TaskRun,
    report: (progress: TaskProgress, settle?: () => Promise<void>) => Promise<void>,
    finished: () => TaskRecord,
  ): Promise<TaskOutcome>;
  /** Undoes what has to be undone, and commits the record: cancelled, or failed. */
  abandon(context: TaskContext, ended: TaskRecord): Promise<void>;
}

/** Opens a volume of a record, and says in the audit log that its keys were used. */
export async function openLogged<T extends { close(): Promise<void> }>(
  context: TaskContext,
  reason: string,
  record: DiskRecord | SnapshotRecord,
  opening: () => Promise<T>,
): Promise<T> {
  const { accountId, regionId, layers } = record;
  const resourceId = 'diskId' in record ? record.diskId : record.snapshotId;
  const caller = { principal: { accountId, userName: null, regionId }, regionId };
  const log = (outcome: string): Promise<void> => {
    const use = { reason, resourceId, layers, outcome };
    return context.metadata.commit({ appendAudit: keyUseEntries(context, caller, use) });
  };
  const open = await opening().catch(async (error: unknown) => {
    await log(error instanceof PlaneError ? error.code : 'InternalError');
    throw error;
  });
  try {
    await log('OK');
  } catch (error) {
    await open.close();
    throw error;
  }
  return open;
}
