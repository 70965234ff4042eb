/**
 * One disk or snapshot re-encrypted: what its lower layers hold is moved to the top one, step by
 * step, then the record names one layer.
 *
 *   open a volume of its own (keys from the KMS thread) ─▶ steps, paced ─▶ lower layers are empty
 *     ─▶ close it ─▶ under the resource's lock: the attached volume drops its lower layers, the
 *     record is committed with one layer, trees are removed
 *
 * 1. A step is bounded and awaited, and tasks take turns at a shard; beside callers the shard does
 *    it in short slices between their requests, so that they are delayed by little.
 * 2. Nothing but the record says which layers there are. If another verb has changed it meanwhile,
 *    it begins again with those it has now.
 * 3. A tree is removed after the record that names it no more is committed, and no volume has it.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { SECTOR_BYTES } from '../../base/units.ts';
import { REENCRYPT_SECTORS_MAX, REENCRYPT_SLICE_SECTORS, REENCRYPT_STEP_MS } from '../../limits.ts';
import type { TaskRecord } from '../../record/document.ts';
import { isDiskId } from '../../record/ids.ts';
import type { DiskRecord, SnapshotRecord } from '../../record/resource.ts';
import type { ReencryptProgress } from '../../record/shard-message.ts';
import type { OpenReencryption } from '../../router/volume-to-open.ts';
import { removeTrees } from '../layers.ts';
import { volumeOf } from '../volume-of.ts';
import { Pace } from './pace.ts';
import type { TaskRun } from './task-run.ts';
import { openLogged, type TaskContext, type TaskOutcome, type TaskWork } from './task-work.ts';

type Resource = DiskRecord | SnapshotRecord;

export const REENCRYPT_WORK: TaskWork = {
  finalCodes: new Set([
    'ChecksumMismatch',
    'DataLost',
    'WrappedKeyInvalid',
    'Forbidden.KeyNotFound',
  ]),
  isGone: (context, task) => findResource(context, task.resourceId) === undefined,
  attempt: (context, task, run, report, finished) => {
    let { doneSectors } = task;
    const told = ({ movedSectors, remainingSectors }: ReencryptProgress): Promise<void> => {
      doneSectors += movedSectors;
      return report({ doneSectors, totalSectors: doneSectors + remainingSectors });
    };
    return reencryptResource(context, task.resourceId, run, told, finished);
  },
  abandon: async (context, ended) => {
    const putDocuments = [{ kind: 'task', record: ended } as const];
    const copy = context.metadata.getSnapshot(ended.resourceId);
    if (ended.state !== 'cancelled' || copy?.status !== 'progressing') {
      await context.metadata.commit({ putDocuments });
      return;
    }
    await context.metadata.commit({ putDocuments, removeSnapshots: [copy.snapshotId] });
    await removeTrees(context, copy);
  },
};

/**
 * @returns done: it has one layer
 * @throws PlaneError what KMS, a shard or the metadata refuses with: it may be called again
 */
async function reencryptResource(
  context: TaskContext,
  resourceId: string,
  run: TaskRun,
  report: (progress: ReencryptProgress) => Promise<void>,
  finished: () => TaskRecord,
): Promise<TaskOutcome> {
  for (let former: Resource | null = null; ; ) {
    if (former !== null) await removeStrayTrees(context, former);
    const record = findResource(context, resourceId);
    if (record === undefined) return 'gone';
    former = record;
    if (record.layers.length > 1) {
      const open = await openLogged(context, 'Reencrypt', record, () =>
        context.taskVolumes.openReencryption(volumeOf(record)),
      );
      try {
        await moveAll(context, record.shardIndex, open, run, report);
      } catch (error) {
        if (!isReplaced(context, record, error)) throw error;
        continue;
      } finally {
        await open.close();
      }
    }
    if (run.isStopped) return 'stopped';
    const isDone = await context.locks.hold([resourceId], () =>
      finish(context, record, run, finished),
    );
    if (isDone) return 'done';
    if (run.isStopped) return 'stopped';
  }
}

function findResource(context: TaskContext, id: string): Resource | undefined {
  const { metadata } = context;
  return isDiskId(id) ? metadata.getDisk(id) : metadata.getSnapshot(id);
}

async function moveAll(
  context: TaskContext,
  shardIndex: number,
  open: OpenReencryption,
  run: TaskRun,
  report: (progress: ReencryptProgress) => Promise<void>,
): Promise<void> {
  const pace = new Pace(context.clock, run.bytesPerSecond);
  while (!run.isStopped) {
    const progress = await context.locks.hold([`shard ${shardIndex}`], () => step(open, run));
    if (progress === null) return;
    await report(progress);
    if (progress.isDone) return;
    const waitMs = pace.after(progress.movedSectors * SECTOR_BYTES);
    if (waitMs > 0) await run.wait(waitMs);
  }
}

/** One turn of a task at a shard: in slices if callers use it, or if it is not to be quick. */
async function step(open: OpenReencryption, run: TaskRun): Promise<ReencryptProgress | null> {
  if (run.isStopped) return null;
  const isBeside = open.isShardBusy() || run.bytesPerSecond > 0;
  const sectors = stepSectors(run.bytesPerSecond);
  return await open.step(sectors, isBeside ? REENCRYPT_SLICE_SECTORS : sectors);
}

/** @param bytesPerSecond 0: as fast as it goes */
function stepSectors(bytesPerSecond: number): number {
  if (bytesPerSecond === 0) return REENCRYPT_SECTORS_MAX;
  const sectors = Math.ceil((bytesPerSecond * REENCRYPT_STEP_MS) / 1000 / SECTOR_BYTES);
  return Math.min(Math.max(sectors, REENCRYPT_SLICE_SECTORS), REENCRYPT_SECTORS_MAX);
}

/** @returns false if the record has other layers by now */
async function finish(
  context: TaskContext,
  moved: Resource,
  run: TaskRun,
  finished: () => TaskRecord,
): Promise<boolean> {
  if (run.isStopped) return false;
  const { metadata } = context;
  const id = idOf(moved);
  const record = findResource(context, id);
  if (record === undefined || treesOf(record) !== treesOf(moved)) return false;
  const putDocuments = [{ kind: 'task', record: finished() } as const];
  const [top, ...lower] = record.layers;
  if (top === undefined || lower.length === 0) {
    await metadata.commit({ putDocuments });
    return true;
  }
  const layers = [top];
  await dropLowerLayers(context, id);
  if ('diskId' in record) {
    await metadata.commit({ putDisks: [{ ...record, layers }], putDocuments });
  } else {
    // A copy is there when all of it is under its own key.
    const status = record.status === 'progressing' ? 'accomplished' : record.status;
    await metadata.commit({ putSnapshots: [{ ...record, layers, status }], putDocuments });
  }
  await removeTrees(context, { shardIndex: record.shardIndex, layers: lower });
  return true;
}

async function dropLowerLayers(context: TaskContext, resourceId: string): Promise<void> {
  try {
    await context.taskVolumes.dropLowerLayers(resourceId);
  } catch (error) {
    // Closed meanwhile.
    if (!(error instanceof PlaneError && error.code === 'DiskClosed')) throw error;
  }
}

/** Its trees were removed while it was at work: another verb has changed or removed the record. */
function isReplaced(context: TaskContext, moved: Resource, error: unknown): boolean {
  const record = findResource(context, idOf(moved));
  const isClosed = error instanceof PlaneError && error.code === 'DiskClosed';
  return isClosed && (record === undefined || treesOf(record) !== treesOf(moved));
}

/**
 * Trees of a record that was changed or removed meanwhile: opening them may have been later than
 * their removal, and have made them again.
 */
function removeStrayTrees(context: TaskContext, former: Resource): Promise<void> {
  const id = idOf(former);
  return context.locks.hold([id], async () => {
    const named = new Set(findResource(context, id)?.layers.map(({ tree }) => tree));
    const layers = former.layers.filter(({ tree }) => !named.has(tree));
    await removeTrees(context, { shardIndex: former.shardIndex, layers });
  });
}

function idOf(record: Resource): string {
  return 'diskId' in record ? record.diskId : record.snapshotId;
}

function treesOf(record: Resource): string {
  return record.layers.map(({ tree }) => tree).join();
}
