/**
 * An instance and the volumes of its disks: open while it runs, closed while it is stopped.
 *
 *   Stopped ──open every volume──▶ Running       one that cannot be opened: the others are closed
 *   Running ──close every volume──▶ Stopped      again, and the instance stays Stopped
 *
 * Who changes an instance or what is attached to it holds the instance and all its disks, so
 * neither changes meanwhile.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import type { InstanceRecord } from '../../record/document.ts';
import type { DiskRecord } from '../../record/resource.ts';
import type { ControlContext } from '../context.ts';
import { requireUsableLayers } from '../encryption/check-key.ts';
import { toDiskError } from '../kms-errors.ts';
import { checkNotErased } from '../layers.ts';
import { disksOfInstance, findInstance } from './find-instance.ts';
import { checkInstanceState } from './state-rules.ts';

/** An instance and its disks, held. */
export interface HeldInstance {
  readonly instance: InstanceRecord;
  readonly disks: readonly DiskRecord[];
}

/**
 * Runs a step while nobody else can change the instance, its disks, or which they are.
 *
 * @throws PlaneError InvalidInstanceId.NotFound; what the step throws
 */
export async function holdInstance<T>(
  context: ControlContext,
  instanceId: string,
  step: (held: HeldInstance) => Promise<T>,
): Promise<T> {
  for (;;) {
    findInstance(context, instanceId);
    const before = idsOf(disksOfInstance(context.metadata, instanceId));
    const held = await context.locks.hold([instanceId, ...before], async () => {
      const instance = findInstance(context, instanceId);
      const disks = disksOfInstance(context.metadata, instanceId);
      // One was attached while this call waited: it is not held.
      if (!idsOf(disks).every((id) => before.includes(id))) return null;
      return { result: await step({ instance, disks }) };
    });
    if (held !== null) return held.result;
  }
}

/**
 * Opens the volumes of an instance: all of them, or none.
 *
 * @throws PlaneError the CMK codes, what a shard answered
 */
export async function openVolumes(
  context: ControlContext,
  disks: readonly DiskRecord[],
): Promise<void> {
  const opened: string[] = [];
  try {
    for (const disk of disks) {
      checkNotErased(disk.diskId, disk.layers);
      await context.volumes.hold(disk);
      opened.push(disk.diskId);
    }
  } catch (error) {
    await closeVolumes(context, opened);
    throw toDiskError(error);
  }
}

/** Closes them all, then throws what closing one of them threw. */
export async function closeVolumes(
  context: ControlContext,
  diskIds: readonly string[],
): Promise<void> {
  const closing = diskIds.map((diskId) => context.volumes.release(diskId));
  for (const outcome of await Promise.allSettled(closing)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}

/** Stopped -> Running. The caller holds the instance. */
async function start(context: ControlContext, { instance, disks }: HeldInstance): Promise<void> {
  checkInstanceState('StartInstance', instance);
  if (!disks.some(({ type }) => type === 'system')) {
    const detail = `${instance.instanceId} has no system disk`;
    throw new PlaneError('InvalidInstance.NotFoundSystemDisk', detail);
  }
  for (const disk of disks) await requireUsableLayers(context, disk.layers);
  context.passValidation();
  await openVolumes(context, disks);
  const startedAt = context.clock.now();
  const record = { ...instance, status: 'Running', startedAt } as const;
  try {
    await context.metadata.commit({ putDocuments: [{ kind: 'instance', record }] });
  } catch (error) {
    await closeVolumes(context, idsOf(disks));
    throw error;
  }
}

/** StartInstance, of an instance nobody holds. */
export function startHeld(context: ControlContext, instanceId: string): Promise<void> {
  return holdInstance(context, instanceId, (held) => start(context, held));
}

/** Running -> Stopped, and every key erased. The caller holds the instance. */
export async function stop(
  context: ControlContext,
  { instance, disks }: HeldInstance,
): Promise<void> {
  checkInstanceState('StopInstance', instance);
  context.passValidation();
  const record = { ...instance, status: 'Stopped' } as const;
  await context.metadata.commit({ putDocuments: [{ kind: 'instance', record }] });
  await closeVolumes(context, idsOf(disks));
}

/**
 * Every volume closed and opened again. In the cloud an instance whose key is not enabled hangs
 * after a reboot; here the reboot is refused before anything is closed, and the disks serve on.
 */
export async function reboot(
  context: ControlContext,
  { instance, disks }: HeldInstance,
): Promise<void> {
  checkInstanceState('RebootInstance', instance);
  for (const disk of disks) await requireUsableLayers(context, disk.layers);
  context.passValidation();
  await closeVolumes(context, idsOf(disks));
  let record: InstanceRecord = { ...instance, status: 'Stopped' };
  try {
    await openVolumes(context, disks);
    record = { ...instance, status: 'Running', startedAt: context.clock.now() };
  } finally {
    await context.metadata.commit({ putDocuments: [{ kind: 'instance', record }] });
  }
}

function idsOf(disks: readonly DiskRecord[]): string[] {
  return disks.map(({ diskId }) => diskId);
}
