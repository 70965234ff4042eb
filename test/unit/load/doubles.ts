/** Doubles of targets and planes, with faults that can be planted. */
import { PlaneError } from '../../../src/base/errors.ts';
import { GIB, MIB } from '../../../src/base/units.ts';
import { type JobFile, readJobFile } from '../../../src/load/job.ts';
import { planRun } from '../../../src/load/job-plan.ts';
import { type CloneResult, JobRun } from '../../../src/load/job-run.ts';
import { createMemoryTarget, type Target, type TargetDisk } from '../../../src/load/target.ts';
import type { Disk, Plane } from '../../../src/types.ts';

/** Wraps every disk a target opens. */
export function wrapTarget(target: Target, wrap: (disk: TargetDisk) => TargetDisk): Target {
  return {
    ...target,
    openDisk: async (name, sizeBytes) => wrap(await target.openDisk(name, sizeBytes)),
  };
}

/** A memory target whose nth write or read (from 1) goes wrong as told. */
export interface Faults {
  /** This write is acknowledged and not done. */
  readonly dropWrite?: number;
  /** This write goes to the next place of its length. */
  readonly misplaceWrite?: number;
  /** This write and the one after it are done in the other order. */
  readonly swapWrite?: number;
  /** A bit of what this read returns is flipped. */
  readonly flipRead?: number;
  /** This write stores only its first 512 bytes. */
  readonly tearWrite?: number;
  /** This write is rejected. */
  readonly failWrite?: number;
  /** This read is rejected. */
  readonly failRead?: number;
}

export function faultyTarget(faults: Faults): Target {
  let writes = 0;
  let reads = 0;
  let held: (() => Promise<unknown>) | null = null;
  return wrapTarget(createMemoryTarget(), (disk) => ({
    ...disk,
    write: (offsetBytes, bytes) => {
      writes += 1;
      const now = (): Promise<unknown> => disk.write(offsetBytes, bytes);
      if (writes === faults.dropWrite) return disk.flush();
      if (writes === faults.misplaceWrite) return disk.write(offsetBytes + bytes.length, bytes);
      if (writes === faults.tearWrite) return disk.write(offsetBytes, bytes.subarray(0, 512));
      if (writes === faults.failWrite) {
        return Promise.reject(new PlaneError('NoSpace', 'the double is full'));
      }
      if (writes === faults.swapWrite) {
        const copy = bytes.slice();
        held = () => disk.write(offsetBytes, copy);
        return disk.flush();
      }
      const done = now();
      const late = held;
      held = null;
      void late?.();
      return done;
    },
    read: async (offsetBytes, into) => {
      reads += 1;
      if (reads === faults.failRead) throw new PlaneError('ReadFailed', 'the double cannot read');
      const isFlipped = reads === faults.flipRead;
      await disk.read(offsetBytes, into);
      if (isFlipped) into[into.length - 1]! ^= 0x10;
    },
  }));
}

/** Counts what is done to the disks of a target, and remembers where. */
export interface Witness {
  readonly target: Target;
  readonly requests: { operation: string; disk: string; offset: number; length: number }[];
}

export function witness(target: Target): Witness {
  const requests: Witness['requests'] = [];
  const see = (operation: string, disk: string, offset: number, length: number): void => {
    requests.push({ operation, disk, offset, length });
  };
  const witnessed = wrapTarget(target, (disk) => ({
    ...disk,
    read: (offset, into) => {
      see('read', disk.name, offset, into.length);
      return disk.read(offset, into);
    },
    write: (offset, bytes) => {
      see('write', disk.name, offset, bytes.length);
      return disk.write(offset, bytes);
    },
    flush: () => {
      see('flush', disk.name, 0, 0);
      return disk.flush();
    },
    trim: (offset, length) => {
      see('trim', disk.name, offset, length);
      return disk.trim(offset, length);
    },
  }));
  return { target: witnessed, requests };
}

/** Runs a job file on one target. */
export function runJobs(text: string, target: Target, entropy = 1): Promise<CloneResult[]> {
  const file: JobFile = readJobFile(text, 'test.fio');
  return new JobRun(
    planRun(file, () => target.name, entropy),
    async () => target,
  ).run();
}

/** A plane of plain memory disks that knows master keys by name; enough for targets and demos. */
export interface PlaneDouble {
  readonly plane: Plane;
  readonly attached: Set<string>;
  /** What every disk's bytes are changed by on the way out. */
  corrupt: (bytes: Uint8Array) => void;
  /** Called with the bytes of each write, as a store would get them. */
  onStored: (bytes: Uint8Array, encrypted: boolean) => void;
  isKeyChecked: boolean;
  /** Buffers registered just now, and how many were let go. */
  readonly registered: Set<SharedArrayBuffer>;
  released: number;
  isRegistryFull: boolean;
}

interface DiskRecord {
  readonly DiskId: string;
  readonly DiskName: string;
  readonly Size: number;
  readonly Encrypted: boolean;
  readonly KMSKeyId: string;
  /** The disk it was cloned from, or ''. */
  readonly from: string;
  /** Made when first used: most disks of a test are never written. */
  content: Uint8Array | null;
}

export function planeDouble(): PlaneDouble {
  const disks = new Map<string, DiskRecord>();
  const keys = new Map<string, string>();
  const attached = new Set<string>();
  const verbs = verbsDouble(disks, keys);
  const double: PlaneDouble = {
    attached,
    corrupt: () => {},
    onStored: () => {},
    isKeyChecked: true,
    registered: new Set(),
    released: 0,
    isRegistryFull: false,
    plane: {
      call: async (verb: string, parameters: unknown) => verbs[verb]!(parameters as never),
      attach: async (diskId: string) => {
        const record = disks.get(diskId)!;
        if (double.isKeyChecked && keys.get(record.KMSKeyId) === 'Disabled') {
          throw new PlaneError('Rejected.Disabled', record.KMSKeyId);
        }
        attached.add(diskId);
        return diskDouble(record, double);
      },
      registerBuffer: async (buffer: SharedArrayBuffer) => {
        if (double.isRegistryFull) throw new PlaneError('Busy', 'the double registers no more');
        double.registered.add(buffer);
        const close = async () => {
          double.registered.delete(buffer);
          double.released += 1;
        };
        return { buffer, close, [Symbol.asyncDispose]: close };
      },
      stats: async () => ({ shards: [{ engine: 'double', openVolumes: attached.size }] }),
      searchForKey: async () => ({ files: 1, bytes: 9, hits: 0, wrappedKeyHits: 1 }),
      check: async () => ({ sectorsChecked: disks.size, problems: [] }),
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    } as unknown as Plane,
  };
  return double;
}

/** @param keys key id to state */
function verbsDouble(
  disks: Map<string, DiskRecord>,
  keys: Map<string, string>,
): Record<string, (parameters: never) => unknown> {
  let number = 0;
  const makeDisk = (record: Omit<DiskRecord, 'DiskId'>): { DiskId: string } => {
    number += 1;
    const DiskId = `d-${number}`;
    disks.set(DiskId, { DiskId, ...record });
    return { DiskId };
  };
  return {
    CreateKey: () => {
      number += 1;
      keys.set(`key-${number}`, 'Enabled');
      return { KeyMetadata: { KeyId: `key-${number}`, KeyState: 'Enabled' } };
    },
    DisableKey: ({ KeyId }: { KeyId: string }) => void keys.set(KeyId, 'Disabled'),
    EnableKey: ({ KeyId }: { KeyId: string }) => void keys.set(KeyId, 'Enabled'),
    CreateDisk: (wanted: {
      Size: number;
      DiskName?: string;
      Encrypted: boolean;
      KMSKeyId?: string;
    }) =>
      makeDisk({
        DiskName: wanted.DiskName ?? '',
        Size: wanted.Size,
        Encrypted: wanted.Encrypted,
        KMSKeyId: wanted.KMSKeyId ?? '',
        from: '',
        content: null,
      }),
    CloneDisk: ({ SourceDiskId }: { SourceDiskId: string }) => {
      const { DiskId: _, ...source } = disks.get(SourceDiskId)!;
      return makeDisk({ ...source, from: SourceDiskId, content: source.content?.slice() ?? null });
    },
    DescribeDisks: (page: { DiskIds?: string[]; PageNumber?: number; PageSize?: number }) => {
      const all = [...disks.values()].filter((disk) => page.DiskIds?.includes(disk.DiskId) ?? true);
      const start = ((page.PageNumber ?? 1) - 1) * (page.PageSize ?? 100);
      return { Disks: all.slice(start, start + (page.PageSize ?? 100)), TotalCount: all.length };
    },
    DescribeLineage: ({ Id }: { Id: string }) => {
      const related = [...disks.values()].filter((disk) => disk.DiskId === Id || disk.from === Id);
      const Nodes = related.map(({ DiskId, KMSKeyId, from }) => ({
        Id: DiskId,
        Kind: 'disk',
        From: from === '' ? [] : [from],
        KMSKeyId,
      }));
      return { Nodes };
    },
  };
}

/** Tests use the first MiB of a disk. */
function contentOf(record: DiskRecord): Uint8Array {
  record.content ??= new Uint8Array(MIB);
  return record.content;
}

function diskDouble(record: DiskRecord, double: PlaneDouble): Disk {
  const close = async (): Promise<void> => {
    double.attached.delete(record.DiskId);
  };
  return {
    diskId: record.DiskId,
    size: record.Size * GIB,
    encrypted: record.Encrypted,
    stages: { requests: 0, queue: 0, crypto: 0, store: 0, held: 0, answer: 0 },
    allocation: async () => [],
    read: async (offset: number, target: number | Uint8Array) => {
      const into = typeof target === 'number' ? new Uint8Array(target) : target;
      into.set(contentOf(record).subarray(offset, offset + into.length));
      double.corrupt(into);
      return into;
    },
    write: async (offset: number, bytes: Uint8Array) => {
      contentOf(record).set(bytes, offset);
      double.onStored(bytes, record.Encrypted);
    },
    flush: async () => {},
    trim: async (offset: number, length: number) => {
      contentOf(record).fill(0, offset, offset + length);
    },
    writeZeroes: async () => {},
    close,
    [Symbol.asyncDispose]: close,
  } as Disk;
}
