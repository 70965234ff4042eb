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
import {
  REENCRYPT_LAG_MS_MAX,
  REENCRYPT_SECTORS_MAX,
  REENCRYPT_SLICE_SECTORS,
  REENCRYPT_STEP_MS,
} from '../../limits.ts';
import type { TaskRecord } from '../../record/document.ts';
import { isDiskId } from '../../record/ids.ts';
import type { DiskRecord, SnapshotRecord } from '../../record/resource.ts';
import type { ReencryptProgress } from '../../record/shard-message.ts';
import type { OpenReencryption, VolumeToOpen } from '../../router/shard-set.ts';
import { keyUseEntries } from '../audit/audit-call.ts';
import type { PlaneContext } from '../context.ts';
import { removeTrees } from '../layers.ts';
import { volumeOf } from '../volume-of.ts';
import type { TaskRun } from './task-run.ts';

/** Volumes, as a task needs them. */
export interface TaskVolumes {
  openReencryption(volume: VolumeToOpen): Promise<OpenReencryption>;
  /** Of the open volumes of a disk or snapshot; nothing if it is not open. */
  dropLowerLayers(resourceId: string): Promise<void>;
}

/** What a task is given: the plane without the tasks. */
export type TaskContext = Omit<PlaneContext, 'tasks'> & { readonly taskVolumes: TaskVolumes };

type Resource = DiskRecord | SnapshotRecord;

/** done: one layer; gone: there is no such resource any more; stopped: told to. */
export type ReencryptOutcome = 'done' | 'gone' | 'stopped';

/**
 * @param report told what each step did
 * @param finished the task's record when it is done: committed together with the resource's
 * @throws PlaneError what KMS, a shard or the metadata refuses with: it may be called again
 */
export async function reencryptResource(
  context: TaskContext,
  resourceId: string,
  run: TaskRun,
  report: (progress: ReencryptProgress) => Promise<void>,
  finished: () => TaskRecord,
): Promise<ReencryptOutcome> {
  for (let former: Resource | null = null; ; ) {
    if (former !== null) await removeStrayTrees(context, former);
    const record = findResource(context, resourceId);
    if (record === undefined) return 'gone';
    former = record;
    if (record.layers.length > 1) {
      const open = await openLogged(context, record);
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

/** Opens the volume, and says in the audit log that its keys were used. */
async function openLogged(context: TaskContext, record: Resource): Promise<OpenReencryption> {
  const { accountId, regionId, layers } = record;
  const resourceId = 'diskId' in record ? record.diskId : record.snapshotId;
  const caller = { principal: { accountId, userName: null, regionId }, regionId };
  const log = (outcome: string): Promise<void> => {
    const use = { reason: 'Reencrypt', resourceId, layers, outcome };
    return context.metadata.commit({ appendAudit: keyUseEntries(context, caller, use) });
  };
  const open = await context.taskVolumes
    .openReencryption(volumeOf(record))
    .catch(async (error: unknown) => {
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

export function findResource(context: TaskContext, id: string): Resource | undefined {
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
  const pace = new Pace(context, run.bytesPerSecond);
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

/** When the next step is due, so that bytes per second are what was asked for. */
class Pace {
  private readonly context: TaskContext;
  private readonly bytesPerSecond: number;
  private dueMs: number;

  constructor(context: TaskContext, bytesPerSecond: number) {
    this.context = context;
    this.bytesPerSecond = bytesPerSecond;
    this.dueMs = context.clock.monotonic();
  }

  /** @returns milliseconds to wait */
  after(movedBytes: number): number {
    if (this.bytesPerSecond === 0) return 0;
    const now = this.context.clock.monotonic();
    this.dueMs += (movedBytes / this.bytesPerSecond) * 1000;
    // What was missed long ago is not made up for: it would come all at once.
    this.dueMs = Math.max(this.dueMs, now - REENCRYPT_LAG_MS_MAX);
    return this.dueMs - now;
  }
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
