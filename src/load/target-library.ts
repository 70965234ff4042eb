/**
 * The library as a target: disks of a plane, encrypted or plain.
 *
 * A disk is found again by its name and kind, so that a job that verifies can read what an earlier
 * run wrote to the same data directory; otherwise it is made. The plane belongs to the caller.
 */
import { createHash } from 'node:crypto';
import { PlaneError } from '../base/errors.ts';
import { GIB, MIB } from '../base/units.ts';
import type { Disk, Plane } from '../types.ts';
import type { Target, TargetDisk } from './target.ts';

/** Disks asked for at a time when looking for known ones. ECS DescribeDisks, PageSize. */
const PAGE_SIZE = 100;

/** Parameters of CreateDisk beside name and encryption. @default what the plane makes unasked */
export interface LoadDiskKind {
  readonly DiskCategory?: string;
  readonly PerformanceLevel?: string;
  /** GiB; of a disk that a load needs more of, as much as it needs. */
  readonly Size?: number;
  readonly ProvisionedIops?: number;
  readonly BurstingEnabled?: boolean;
}

interface KnownDisk {
  readonly diskId: string;
  readonly sizeGiB: number;
  readonly kind: string;
}

/**
 * @param plane open, and left open by close()
 * @param encrypted what CreateDisk is asked for; the service key protects the disk
 * @param kind what else it is asked for
 * @param onOpen told of every disk in a line
 */
export function createLibraryTarget(
  plane: Plane,
  encrypted: boolean,
  kind: LoadDiskKind = {},
  onOpen: (line: string) => void = () => {},
): Target {
  let known: Promise<Map<string, KnownDisk>> | null = null;
  const open: Disk[] = [];
  return {
    name: encrypted ? 'encrypted' : 'plain',
    keepsBytes: true,
    openDisk: async (name, sizeBytes) => {
      known ??= listDisks(plane, encrypted);
      const diskName = diskNameFor(name);
      const sizeGiB = Math.max(Math.ceil(sizeBytes / GIB), kind.Size ?? 0);
      const existing = (await known).get(diskName);
      if (existing !== undefined && existing.sizeGiB < sizeGiB) {
        throw new PlaneError(
          'InvalidArgument',
          `disk ${diskName} is there with ${existing.sizeGiB} GiB, the load needs ${sizeGiB}`,
        );
      }
      checkKind(diskName, existing, kind);
      const parameters = { ...kind, Size: sizeGiB, DiskName: diskName, Encrypted: encrypted };
      const diskId = existing?.diskId ?? (await plane.call('CreateDisk', parameters)).DiskId;
      onOpen(await lineOf(plane, diskName, diskId));
      const disk = await plane.attach(diskId);
      open.push(disk);
      return targetDisk(plane, name, disk, existing === undefined);
    },
    close: async () => {
      for (const disk of open) await disk.close();
    },
  };
}

/** @throws PlaneError InvalidArgument: the disk there is of another kind */
function checkKind(name: string, existing: KnownDisk | undefined, kind: LoadDiskKind): void {
  const { DiskCategory, PerformanceLevel } = kind;
  const wanted = DiskCategory === undefined ? '' : kindName(DiskCategory, PerformanceLevel ?? '');
  if (existing === undefined || existing.kind.startsWith(wanted)) return;
  throw new PlaneError(
    'InvalidArgument',
    `disk ${name} is there as ${existing.kind}, the load wants ${wanted}`,
  );
}

function kindName(category: string, level: string): string {
  return level === '' ? category : `${category} ${level}`;
}

async function lineOf(plane: Plane, name: string, diskId: string): Promise<string> {
  const { Disks } = await plane.call('DescribeDisks', { DiskIds: [diskId] });
  const { Category, PerformanceLevel, Size, IOPS, Throughput } = Disks[0]!;
  const kind = kindName(Category, PerformanceLevel);
  // The cloud's MB/s are of 2^20 bytes, those of reports of 10^6.
  const rate = `${Throughput} MiB/s (${((Throughput * MIB) / 1e6).toFixed(0)} MB/s)`;
  return `${name}: ${kind}, ${Size} GiB, sold with ${IOPS} IOPS and ${rate}`;
}

function targetDisk(plane: Plane, name: string, disk: Disk, isFresh: boolean): TargetDisk {
  return {
    registerBuffer: async (buffer) => {
      const registered = await plane.registerBuffer(buffer);
      return () => registered.close();
    },
    name,
    sizeBytes: disk.size,
    isFresh,
    read: (offsetBytes, into) => disk.read(offsetBytes, into),
    write: (offsetBytes, bytes) => disk.write(offsetBytes, bytes),
    flush: () => disk.flush(),
    trim: (offsetBytes, lengthBytes) => disk.trim(offsetBytes, lengthBytes),
    stages: () => disk.stages,
    close: () => disk.close(),
  };
}

async function listDisks(plane: Plane, encrypted: boolean): Promise<Map<string, KnownDisk>> {
  const known = new Map<string, KnownDisk>();
  for (let page = 1; ; page++) {
    const parameters = { PageNumber: page, PageSize: PAGE_SIZE };
    const { Disks, TotalCount } = await plane.call('DescribeDisks', parameters);
    for (const { DiskId, DiskName, Size, Encrypted, Category, PerformanceLevel } of Disks) {
      const kind = kindName(Category, PerformanceLevel);
      if (Encrypted === encrypted) known.set(DiskName, { diskId: DiskId, sizeGiB: Size, kind });
    }
    if (Disks.length === 0 || page * PAGE_SIZE >= TotalCount) return known;
  }
}

/**
 * A name the cloud allows: 2 to 128 letters, digits and . _ : - after a letter (ECS CreateDisk,
 * parameter DiskName). What had to be changed ends in a hash of what it was.
 */
function diskNameFor(name: string): string {
  const allowed = `load:${name.replace(/[^A-Za-z0-9._:-]/g, '-').slice(0, 100)}`;
  if (allowed === `load:${name}`) return allowed;
  return `${allowed}-${createHash('sha256').update(name).digest('hex').slice(0, 12)}`;
}
