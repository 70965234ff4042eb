/**
 * Bugs to plant in a victim, between the load and the plane, so that the checker is seen to fail.
 *
 * Each is something a plane could do wrong; `foundBy` is the pass that must tell.
 */
import type { Disk } from '../../src/index.ts';
import { SECTOR_UNITS, UNIT_BYTES } from './content.ts';

const SECTOR_BYTES: number = SECTOR_UNITS * UNIT_BYTES;

type Call = (verb: string, parameters: Record<string, unknown>) => Promise<unknown>;

/** What a bug does to a disk, or to a call; the rest stays as it is. */
interface Bug {
  readonly what: string;
  readonly foundBy: string;
  readonly disk?: (disk: Disk) => Partial<Pick<Disk, 'read' | 'write' | 'flush' | 'trim'>>;
  readonly call?: (verb: string, parameters: Record<string, unknown>, call: Call) => unknown;
}

type Write = Disk['write'];
type Pending = readonly [offset: number, bytes: Uint8Array];

/** Writes that stay in the victim's memory until there are several. */
function holdBack(disk: Disk, isDrainedByFlush: boolean): Partial<Disk> {
  const held: Pending[] = [];
  const drain = async (): Promise<void> => {
    await Promise.all(held.splice(0).map(([offset, bytes]) => disk.write(offset, bytes)));
  };
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    await drain();
    return disk.read(offset, length);
  };
  return {
    write: async (offset, bytes) => {
      held.push([offset, bytes]);
      if (held.length > 8) await drain();
    },
    flush: async () => {
      if (isDrainedByFlush) await drain();
      await disk.flush();
    },
    trim: async (offset, length) => {
      await drain();
      await disk.trim(offset, length);
    },
    read: read as Disk['read'],
  };
}

/** True once in so many calls. */
function every(count: number): () => boolean {
  let calls = 0;
  return () => ++calls % count === 0;
}

function swapSectors(disk: Disk): Partial<Disk> {
  const isNow = every(20);
  const write: Write = async (offset, bytes, options) => {
    if (bytes.byteLength !== 2 * SECTOR_BYTES || !isNow())
      return disk.write(offset, bytes, options);
    const swapped = new Uint8Array(bytes.byteLength);
    swapped.set(bytes.subarray(SECTOR_BYTES));
    swapped.set(bytes.subarray(0, SECTOR_BYTES), SECTOR_BYTES);
    return disk.write(offset, swapped, options);
  };
  return { write };
}

function tearSectors(disk: Disk): Partial<Disk> {
  const write: Write = async (offset, bytes, options) => {
    const half = Math.floor(bytes.byteLength / UNIT_BYTES / 2) * UNIT_BYTES;
    if (half === 0) return disk.write(offset, bytes, options);
    await disk.write(offset, bytes.subarray(0, half), options);
    await new Promise((resolve) => setTimeout(resolve, 1));
    await disk.write(offset + half, bytes.subarray(half), options);
  };
  return { write };
}

function serveStaleReads(disk: Disk): Partial<Disk> {
  const isNow = every(50);
  const stale = new Map<string, Uint8Array>();
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    const range = `${offset} ${length}`;
    const kept = stale.get(range);
    if (kept !== undefined && isNow()) return kept;
    const bytes = await disk.read(offset, length);
    if (kept === undefined) stale.set(range, bytes);
    return bytes;
  };
  return { read: read as Disk['read'] };
}

function dropTrims(disk: Disk): Partial<Disk> {
  const isNow = every(3);
  const trim: Disk['trim'] = async (offset, length) => {
    if (!isNow()) await disk.trim(offset, length);
  };
  return { trim };
}

function skipFlushes(disk: Disk): Partial<Disk> {
  const isNow = every(2);
  const flush: Disk['flush'] = async () => {
    if (!isNow()) await disk.flush();
  };
  return { flush };
}

let first: Disk | null = null;

/** Writes that go to the disk that was attached first. */
function mixUpDisks(disk: Disk): Partial<Disk> {
  first ??= disk;
  const other = first;
  const isNow = every(10);
  const write: Write = (offset, bytes, options) =>
    (isNow() ? other : disk).write(offset, bytes, options);
  return { write };
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

async function snapLate(
  verb: string,
  parameters: Record<string, unknown>,
  call: Call,
): Promise<unknown> {
  if (verb !== 'CreateSnapshot') return call(verb, parameters);
  const result = (await call(verb, parameters)) as { SnapshotId: string };
  // The one that is answered for is taken later, under the same name.
  await call('DeleteSnapshot', { SnapshotId: result.SnapshotId });
  void pause(3).then(() => call(verb, parameters));
  return result;
}

/** Answers before it is done, and does it a while later. */
async function promise(
  verb: string,
  parameters: Record<string, unknown>,
  call: Call,
): Promise<unknown> {
  if (!/^(Delete|Modify)/.test(verb)) return call(verb, parameters);
  void pause(20).then(() => call(verb, parameters));
  return {};
}

export const PLANTS: Readonly<Record<string, Bug>> = {
  'flush-not-done': {
    what: 'acknowledges writes it holds in memory, and flushes without writing them',
    foundBy: 'kill',
    disk: (disk) => holdBack(disk, false),
  },
  'flush-skipped': {
    what: 'acknowledges every other flush without asking for it',
    foundBy: 'flushes',
    disk: skipFlushes,
  },
  'fua-ignored': {
    what: 'takes writes with FUA as any other',
    foundBy: 'flushes',
    disk: (disk) => ({ write: (offset, bytes) => disk.write(offset, bytes) }),
  },
  'writes-held-back': {
    what: 'acknowledges writes it holds in memory until a flush',
    foundBy: 'kill',
    disk: (disk) => holdBack(disk, true),
  },
  'sectors-swapped': {
    what: 'now and then stores two sectors of a request in each other’s place',
    foundBy: 'kill',
    disk: swapSectors,
  },
  'sectors-torn': {
    what: 'writes each request in two halves',
    foundBy: 'kill',
    disk: tearSectors,
  },
  'trims-dropped': {
    what: 'acknowledges one trim in three without doing it',
    foundBy: 'kill',
    disk: dropTrims,
  },
  'disks-mixed-up': {
    what: 'now and then writes to another disk',
    foundBy: 'kill',
    disk: mixUpDisks,
  },
  'reads-stale': {
    what: 'now and then answers a read with what an earlier one saw',
    foundBy: 'concurrency',
    disk: serveStaleReads,
  },
  'snapshot-late': {
    what: 'takes a snapshot some milliseconds after it has answered',
    foundBy: 'snapshots',
    call: snapLate,
  },
  'control-not-done': {
    what: 'answers changes and deletions before they are done',
    foundBy: 'control',
    call: promise,
  },
};

export interface Plant {
  disk(disk: Disk): Disk;
  call: (verb: string, parameters: Record<string, unknown>, call: Call) => Promise<unknown>;
}

/** @param name null: nothing is planted */
export function plantIn(name: string | null): Plant {
  const bug: Bug | undefined = name === null ? undefined : PLANTS[name];
  if (name !== null && bug === undefined) throw new Error(`no bug is called ${name}`);
  return {
    disk: (disk) => {
      const bent = bug?.disk?.(disk) ?? {};
      return new Proxy(disk, {
        get(target, key) {
          const own =
            (bent as Record<PropertyKey, unknown>)[key] ?? Reflect.get(target, key, target);
          return typeof own === 'function' ? own.bind(target) : own;
        },
      });
    },
    call: async (verb, parameters, call) =>
      bug?.call === undefined ? call(verb, parameters) : bug.call(verb, parameters, call),
  };
}
