/** The verbs on background tasks, and the one that starts one by itself. */
import type { Page, PageResult } from '../paging.ts';

/** Source: ECS DescribeTasks, TaskSet; what is not in it there is said to be ours. */
export interface TaskDescription {
  readonly TaskId: string;
  readonly TaskGroupId: string;
  readonly TaskAction: string;
  /** Processing, Finished or Failed; ours: Paused, Cancelled. */
  readonly TaskStatus: string;
  readonly ResourceId: string;
  readonly SupportCancel: boolean;
  /** Ours. Why it is paused or has failed: an error code; empty if it is neither. */
  readonly Code: string;
  /** Ours. Bytes re-encrypted or exported, and all there are to be, as known so far. */
  readonly DoneBytes: number;
  readonly TotalBytes: number;
  /** Ours. 0: as fast as the requests of callers allow. */
  readonly BytesPerSecond: number;
  /** ISO 8601, UTC. */
  readonly CreationTime: string;
  /** Empty until it has ended. */
  readonly FinishedTime: string;
}

export interface TaskVerbs {
  DescribeTasks: {
    parameters: Page & {
      /** Tasks of one call, as CloneDisks answers with. */
      readonly TaskGroupId?: string;
      readonly TaskIds?: readonly string[];
      readonly ResourceIds?: readonly string[];
      readonly TaskStatus?: string;
      readonly TaskAction?: string;
    };
    result: PageResult & { readonly Tasks: readonly TaskDescription[] };
  };
  /** Ours: the task rests until it is resumed. */
  PauseTask: { parameters: { readonly TaskId: string }; result: Record<string, never> };
  /** Ours: goes on, also with one that waits for a key or for space. */
  ResumeTask: {
    parameters: { readonly TaskId: string; readonly BytesPerSecond?: number };
    result: Record<string, never>;
  };
  /**
   * Ends a task. What it was to re-encrypt stays readable, and needs its old keys for good; of an
   * export no file is left.
   */
  CancelTask: { parameters: { readonly TaskId: string }; result: Record<string, never> };
  /** Ours: moves a disk, attached or not, to a new data key. */
  RekeyDisk: {
    parameters: {
      readonly DiskId: string;
      /** The master key of the new data key. @default the one the disk has */
      readonly KMSKeyId?: string;
      /** Pace of the task. @default as fast as the requests of callers allow */
      readonly BytesPerSecond?: number;
    };
    result: { readonly TaskId: string };
  };
}
