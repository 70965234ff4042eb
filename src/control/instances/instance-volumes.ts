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
export function holdInstance<T>(
  context: ControlContext,
  instanceId: string,
  step: (held: HeldInstance) => Promise<T>,
): Promise<T> {
  return holdInstances(context, [instanceId], ([held]) => step(held as HeldInstance));
}

/** holdInstance() of several at once. */
export async function holdInstances<T>(
  context: ControlContext,
  instanceIds: readonly string[],
  step: (held: readonly HeldInstance[]) => Promise<T>,
): Promise<T> {
  const find = (): HeldInstance[] =>
    instanceIds.map((instanceId) => {
      const instance = findInstance(context, instanceId);
      return { instance, disks: disksOfInstance(context.metadata, instanceId) };
    });
  for (;;) {
    const before = find().flatMap(({ disks }) => idsOf(disks));
    const done = await context.locks.hold([...instanceIds, ...before], async () => {
      const held = find();
      // One was attached while this call waited: it is not held.
      const isHeld = (id: string): boolean => before.includes(id);
      if (!held.flatMap(({ disks }) => idsOf(disks)).every(isHeld)) return null;
      return { result: await step(held) };
    });
    if (done !== null) return done.result;
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

/** What has to be, for an instance to be started. */
async function checkStart(context: ControlContext, held: HeldInstance): Promise<void> {
  const { instance, disks } = held;
  checkInstanceState('StartInstance', instance);
  if (!disks.some(({ type }) => type === 'system')) {
    const detail = `${instance.instanceId} has no system disk`;
    throw new PlaneError('InvalidInstance.NotFoundSystemDisk', detail);
  }
  await checkKeys(context, disks);
}

async function checkKeys(context: ControlContext, disks: readonly DiskRecord[]): Promise<void> {
  for (const { diskId, layers } of disks) {
    checkNotErased(diskId, layers);
    await requireUsableLayers(context, layers);
  }
}

/** Stopped -> Running: all instances, or none. The caller holds them. */
export async function start(context: ControlContext, all: readonly HeldInstance[]): Promise<void> {
  for (const held of all) await checkStart(context, held);
  context.passValidation();
  const disks = all.flatMap((held) => held.disks);
  await openVolumes(context, disks);
  const startedAt = context.clock.now();
  const records = all.map(
    ({ instance }) => ({ ...instance, status: 'Running', startedAt }) as const,
  );
  try {
    await putInstances(context, records);
  } catch (error) {
    await closeVolumes(context, idsOf(disks));
    throw error;
  }
}

/** StartInstance, of an instance nobody holds. */
export function startHeld(context: ControlContext, instanceId: string): Promise<void> {
  return holdInstances(context, [instanceId], (held) => start(context, held));
}

/** Running -> Stopped, all instances, and every key erased. The caller holds them. */
export async function stop(context: ControlContext, all: readonly HeldInstance[]): Promise<void> {
  for (const { instance } of all) checkInstanceState('StopInstance', instance);
  context.passValidation();
  await putInstances(
    context,
    all.map(({ instance }) => ({ ...instance, status: 'Stopped' }) as const),
  );
  await closeVolumes(context, idsOf(all.flatMap(({ disks }) => disks)));
}

function putInstances(context: ControlContext, records: readonly InstanceRecord[]): Promise<void> {
  const putDocuments = records.map((record) => ({ kind: 'instance', record }) as const);
  return context.metadata.commit({ putDocuments });
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
  await checkKeys(context, disks);
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
