/**
 * `sealdisk rekey`: a disk of a data directory is moved to a new data key, and waited for.
 *
 *   RekeyDisk ─▶ (its task: progress on stderr) ─▶ Finished: nothing needs the old key any more
 *
 * A task that was interrupted is gone on with, by this command as by whoever opens the plane; here
 * without a pace, for somebody is waiting.
 * Exit codes: 0 moved, 1 failed, 4 refused by a rule, also if a key's state holds the task up.
 */
import { MIB } from '../base/units.ts';
import type { Plane } from '../types.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { OpenPlane } from './load-targets.ts';
import type { Terminal } from './terminal.ts';

export interface RekeyFlags {
  readonly dataDir: string;
  readonly key?: string;
  readonly json?: boolean;
}

const SCHEMA_ID = 'sealdisk-rekey/1';
const LOOK_MS = 100;
const UNDER_WAY: ReadonlySet<string> = new Set(['Processing', 'Paused']);

/** Runs the command. @throws PlaneError what the plane refuses with */
export async function runRekey(
  diskId: string,
  flags: RekeyFlags,
  openPlane: OpenPlane,
  terminal: Terminal,
): Promise<ExitCode> {
  await using plane = await openPlane({ dataDir: flags.dataDir });
  const taskId = await startOrFind(plane, diskId, flags, terminal);
  const task = await untilEnded(plane, taskId, terminal);
  const { Disks } = await plane.call('DescribeDisks', { DiskIds: [diskId] });
  const keyId = Disks[0]?.KMSKeyId ?? '';
  const isMoved = task.TaskStatus === 'Finished';
  if (flags.json === true) {
    const document = {
      schema: SCHEMA_ID,
      ok: isMoved,
      DiskId: diskId,
      KMSKeyId: keyId,
      Task: task,
    };
    terminal.print(`${JSON.stringify(document, null, 2)}\n`);
  } else if (isMoved) {
    terminal.print(`${diskId} is under ${keyId}, ${megabytes(task.DoneBytes)} MiB moved\n`);
  }
  if (isMoved) return EXIT.ok;
  terminal.say(`task ${taskId} is ${task.TaskStatus}: ${task.Code}`);
  return task.TaskStatus === 'Paused' ? EXIT.refused : EXIT.failed;
}

async function startOrFind(
  plane: Plane,
  diskId: string,
  flags: RekeyFlags,
  terminal: Terminal,
): Promise<string> {
  const { Tasks } = await plane.call('DescribeTasks', { ResourceIds: [diskId] });
  const live = Tasks.find(({ TaskStatus }) => UNDER_WAY.has(TaskStatus));
  if (live === undefined) {
    const key = flags.key === undefined ? {} : { KMSKeyId: flags.key };
    return (await plane.call('RekeyDisk', { DiskId: diskId, ...key })).TaskId;
  }
  terminal.say(`going on with ${live.TaskId}, which was begun before`);
  await plane.call('ResumeTask', { TaskId: live.TaskId, BytesPerSecond: 0 });
  return live.TaskId;
}

async function untilEnded(plane: Plane, taskId: string, terminal: Terminal) {
  for (;;) {
    const { Tasks } = await plane.call('DescribeTasks', { TaskIds: [taskId] });
    const task = Tasks[0]!;
    const isWorking = task.TaskStatus === 'Processing';
    if (terminal.status.isTTY === true) {
      const progress = `${megabytes(task.DoneBytes)} of ${megabytes(task.TotalBytes)} MiB`;
      terminal.status.write(isWorking ? `\r${progress}` : '\r\x1b[K');
    }
    if (!isWorking) return task;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / MIB);
}
