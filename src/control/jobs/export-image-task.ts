/**
 * One image exported: what its system disk's snapshot holds, in plain, in a file of its own.
 *
 *   open the snapshot's volume (keys from the KMS thread) ─▶ extents that hold something are read
 *     and written, paced; holes are passed over ─▶ forced to stable storage ─▶ given its name
 *
 * 1. The snapshot does not change, so how far the file is written is all there is to know:
 *    doneSectors says it, of what is on stable storage. A task that goes on begins there; one whose
 *    file is gone begins anew.
 * 2. Under the image's name there is a whole file or none. A task that was cancelled or has failed
 *    leaves nothing.
 * 3. The image stays while a task exports it, so its snapshot does: DeleteImage refuses.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import { SECTOR_BYTES } from '../../base/units.ts';
import { EXPORT_CHUNK_BYTES } from '../../limits.ts';
import type { TaskRecord } from '../../record/document.ts';
import type { SnapshotRecord } from '../../record/resource.ts';
import { volumeOf } from '../volume-of.ts';
import type { ExportFiles, PartialFile } from './export-files.ts';
import { Pace } from './pace.ts';
import type { TaskRun } from './task-run.ts';
import {
  openLogged,
  type TaskContext,
  type TaskOutcome,
  type TaskProgress,
  type TaskWork,
  type VolumeReader,
} from './task-work.ts';

type Report = (progress: TaskProgress, settle?: () => Promise<void>) => Promise<void>;

export const EXPORT_WORK: TaskWork = {
  finalCodes: new Set([
    'ChecksumMismatch',
    'DataLost',
    'WrappedKeyInvalid',
    'Forbidden.KeyNotFound',
    'DataKeyErased',
    'NoSpace',
    'ExportFailed',
    'UnsupportedOperation',
  ]),
  isGone: (context, task) => findSnapshot(context, task) === undefined,
  attempt: async (context, task, run, report, finished) => {
    const snapshot = findSnapshot(context, task);
    if (snapshot === undefined) {
      await removePartial(context, task);
      return 'gone';
    }
    const files = requireFiles(context, task);
    const volume = { ...volumeOf(snapshot), diskId: task.taskId };
    const reader = await openLogged(context, 'ExportImage', snapshot, () =>
      context.taskVolumes.openReader(volume),
    );
    try {
      const file = await files.openPartial(destinationOf(task), task.taskId, snapshot.sizeBytes);
      try {
        const copy = new ExportCopy(context, snapshot, reader, file, run, report);
        const outcome = await copy.run(file.isNew ? 0 : task.doneSectors * SECTOR_BYTES);
        if (outcome === 'done') {
          await file.finish();
          await context.metadata.commit({ putDocuments: [{ kind: 'task', record: finished() }] });
        }
        return outcome;
      } finally {
        await file.close();
      }
    } finally {
      await reader.close();
    }
  },
  abandon: async (context, ended) => {
    // The file first: a task that is over is not looked at again. It is over even if its file
    // cannot be removed; who cancelled it is told so.
    try {
      await removePartial(context, ended);
    } finally {
      await context.metadata.commit({ putDocuments: [{ kind: 'task', record: ended }] });
    }
  },
};

/** The snapshot behind the system disk of the task's image. */
function findSnapshot({ metadata }: TaskContext, task: TaskRecord): SnapshotRecord | undefined {
  const image = metadata.getDocument('image', task.resourceId);
  const device = image?.devices.find(({ type }) => type === 'system');
  return metadata.getSnapshot(device?.snapshotId ?? '');
}

/** A task that goes on in a plane that was opened without a directory to export to. */
function requireFiles({ exportFiles }: TaskContext, task: TaskRecord): ExportFiles {
  if (exportFiles !== null) return exportFiles;
  const what = `there is no exportDirectory to write ${destinationOf(task)} to`;
  throw new PlaneError('UnsupportedOperation', what);
}

async function removePartial({ exportFiles }: TaskContext, task: TaskRecord): Promise<void> {
  await exportFiles?.removePartial(destinationOf(task), task.taskId);
}

function destinationOf({ taskId, destination }: TaskRecord): string {
  invariant(destination !== undefined, `${taskId} exports to somewhere`);
  return destination;
}

/** What is copied from where to where, while one attempt lasts. */
class ExportCopy {
  readonly #context: TaskContext;
  readonly #snapshot: SnapshotRecord;
  readonly #reader: VolumeReader;
  readonly #file: PartialFile;
  readonly #run: TaskRun;
  readonly #report: Report;
  readonly #pace: Pace;
  readonly #chunk = new Uint8Array(EXPORT_CHUNK_BYTES);

  constructor(
    context: TaskContext,
    snapshot: SnapshotRecord,
    reader: VolumeReader,
    file: PartialFile,
    run: TaskRun,
    report: Report,
  ) {
    this.#context = context;
    this.#snapshot = snapshot;
    this.#reader = reader;
    this.#file = file;
    this.#run = run;
    this.#report = report;
    this.#pace = new Pace(context.clock, run.bytesPerSecond);
  }

  /** @param from bytes that the file holds already */
  async run(from: number): Promise<TaskOutcome> {
    const { sizeBytes } = this.#snapshot;
    try {
      for (let at = from; at < sizeBytes && !this.#run.isStopped; ) {
        const extents = await this.#reader.allocation(at, sizeBytes - at);
        invariant(extents.length > 0, 'an answer has an extent at least');
        for (const { length, isHole } of extents) {
          if (!isHole) await this.#copy(at, at + length);
          if (this.#run.isStopped) break;
          at += length;
          await this.#tell(at);
        }
      }
      if (!this.#run.isStopped) return 'done';
      await this.#file.flush();
      return 'stopped';
    } finally {
      // Plaintext of the image: nobody needs it any more.
      this.#chunk.fill(0);
    }
  }

  async #copy(from: number, to: number): Promise<void> {
    const turn = [`shard ${this.#snapshot.shardIndex}`];
    for (let at = from; at < to && !this.#run.isStopped; ) {
      const bytes = this.#chunk.subarray(0, Math.min(to - at, EXPORT_CHUNK_BYTES));
      // Tasks take turns at a shard.
      await this.#context.locks.hold(turn, () => this.#reader.read(at, bytes));
      await this.#file.write(at, bytes);
      at += bytes.byteLength;
      await this.#tell(at);
      const waitMs = this.#pace.after(bytes.byteLength);
      if (waitMs > 0) await this.#run.wait(waitMs);
    }
  }

  #tell(at: number): Promise<void> {
    const totalSectors = this.#snapshot.sizeBytes / SECTOR_BYTES;
    const progress = { doneSectors: Math.floor(at / SECTOR_BYTES), totalSectors };
    return this.#report(progress, () => this.#file.flush());
  }
}
