/**
 * The disks and snapshots of a plane as exports, under their ids: asked of the plane whenever a
 * client asks, so that what is made, attached or deleted meanwhile is seen.
 *
 *   disk d-...       reads and writes. One of a running instance is used beside the instance; one
 *                    that is attached to nothing is attached while a client uses it ('all' only)
 *   snapshot s-...   read-only
 *
 * There is no default export: which one would it be?
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { GIB } from '../../base/units.ts';
import type { Disk, PlaneSession, SnapshotReader } from '../../types.ts';
import type { ExportDirectory, NbdExport, OpenedDisk } from './exports.ts';

export interface PlaneExportsOptions {
  /** attached: disks of instances. all: those that are attached to nothing too. */
  readonly disks: 'attached' | 'all';
  /** Whether clients may ask for a larger disk (NBD_CMD_RESIZE). */
  readonly allowResize: boolean;
}

/** Resources asked for at a time. */
const PAGE_SIZE = 100;

/** @param session whose disks and snapshots they are, and what it may do with them */
export function planeExports(session: PlaneSession, options: PlaneExportsOptions): ExportDirectory {
  return {
    list: async () => [...(await listDisks(session, options)), ...(await listSnapshots(session))],
    find: async (name) => {
      if (/^d-[a-z0-9]+$/.test(name)) return (await listDisks(session, options, name))[0] ?? null;
      if (/^s-[a-z0-9]+$/.test(name)) return (await listSnapshots(session, name))[0] ?? null;
      return null;
    },
  };
}

/** @param diskId only this one */
async function listDisks(
  session: PlaneSession,
  { disks, allowResize }: PlaneExportsOptions,
  diskId?: string,
): Promise<NbdExport[]> {
  const found: NbdExport[] = [];
  const filter = diskId === undefined ? {} : { DiskIds: [diskId] };
  for (let token = ''; ; ) {
    const page = {
      ...filter,
      MaxResults: PAGE_SIZE,
      ...(token === '' ? {} : { NextToken: token }),
    };
    const { Disks, NextToken } = await session.call('DescribeDisks', page);
    for (const { DiskId, DiskName, Encrypted, InstanceId } of Disks) {
      if (disks === 'attached' && InstanceId === '') continue;
      const resize = (sizeBytes: number): Promise<void> => resizeDisk(session, DiskId, sizeBytes);
      found.push({
        name: DiskId,
        description: describe('disk', DiskName, Encrypted),
        isReadOnly: false,
        open: () => openDisk(session, DiskId),
        ...(allowResize ? { resize } : {}),
      });
    }
    token = NextToken;
    if (token === '') return found;
  }
}

/** @param snapshotId only this one */
async function listSnapshots(session: PlaneSession, snapshotId?: string): Promise<NbdExport[]> {
  const found: NbdExport[] = [];
  const filter = snapshotId === undefined ? {} : { SnapshotIds: [snapshotId] };
  for (let token = ''; ; ) {
    const page = {
      ...filter,
      MaxResults: PAGE_SIZE,
      ...(token === '' ? {} : { NextToken: token }),
    };
    const { Snapshots, NextToken } = await session.call('DescribeSnapshots', page);
    for (const { SnapshotId, SnapshotName, Encrypted } of Snapshots) {
      found.push({
        name: SnapshotId,
        description: describe('snapshot', SnapshotName, Encrypted),
        isReadOnly: true,
        open: () => openSnapshot(session, SnapshotId),
      });
    }
    token = NextToken;
    if (token === '') return found;
  }
}

function describe(kind: string, name: string, isEncrypted: boolean): string {
  return `${kind}${name === '' ? '' : ` ${name}`}, ${isEncrypted ? 'encrypted' : 'plain'}`;
}

async function openDisk(session: PlaneSession, diskId: string): Promise<OpenedDisk> {
  const disk = await session.attach(diskId);
  return { disk, close: () => disk.close() };
}

async function openSnapshot(session: PlaneSession, snapshotId: string): Promise<OpenedDisk> {
  const snapshot = await session.openSnapshot(snapshotId);
  return { disk: readOnlyDisk(snapshot), close: () => snapshot.close() };
}

/** A snapshot as the server wants its disks. Changes were refused before they come here. */
function readOnlyDisk(snapshot: SnapshotReader): Disk {
  const { snapshotId: diskId, size, encrypted } = snapshot;
  const refuse = (): Promise<never> =>
    Promise.reject(new PlaneError('OperationDenied', `${diskId} is a snapshot: it stays as it is`));
  return {
    diskId,
    size,
    encrypted,
    get stages() {
      return snapshot.stages;
    },
    read: (offset: number, into: number & Uint8Array) => snapshot.read(offset, into),
    write: refuse,
    flush: async () => {},
    trim: refuse,
    writeZeroes: refuse,
    allocation: (offset, length) => snapshot.allocation(offset, length),
    close: () => snapshot.close(),
    [Symbol.asyncDispose]: () => snapshot.close(),
  };
}

/** Disks are sold by the GiB (ECS ResizeDisk, parameter NewSize). */
export async function resizeDisk(
  session: PlaneSession,
  DiskId: string,
  sizeBytes: number,
): Promise<void> {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes % GIB !== 0) {
    throw new PlaneError('InvalidArgument', `expected a size of whole GiB, got ${sizeBytes}`);
  }
  const { Disks } = await session.call('DescribeDisks', { DiskIds: [DiskId] });
  const NewSize = sizeBytes / GIB;
  if (Disks[0]?.Size === NewSize) return;
  await session.call('ResizeDisk', { DiskId, NewSize, Type: 'online' });
}
