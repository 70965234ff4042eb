/**
 * Re-encryption under a new key: against a plain copy through the data plane, and what a caller
 * feels of it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Disk, openPlane, type Plane } from '../../src/index.ts';
import { median } from '../reference.ts';
import { fillDisk } from './closed-loop.ts';
import type { Floor } from './floor.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const COPY_BYTES = MIB;
const COPY_DEPTH = 4;
const LOOK_MS = 1;
/** The paced task of the latency row, and the load beside it. */
const PACE_BYTES_PER_SECOND = 64 * MIB;
const LOAD_BYTES = 4 * KIB;
const LOAD_DEPTH = 8;
/** Little of the disk: what the load overwrites, the task need not move. */
const LOAD_SPAN_BYTES = 16 * MIB;

async function newDisk(plane: Plane, encrypted: boolean): Promise<Disk> {
  const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: encrypted });
  return plane.attach(DiskId);
}

/** Bytes per second of a copy by a customer: plain disk to plain disk, a few requests in flight. */
async function plainCopy(plane: Plane, spanBytes: number): Promise<number> {
  await using source = await newDisk(plane, false);
  await using target = await newDisk(plane, false);
  await fillDisk(source, spanBytes);
  let next = 0;
  const copier = async (): Promise<void> => {
    const bytes = new Uint8Array(COPY_BYTES);
    while (next < spanBytes) {
      const at = next;
      next += COPY_BYTES;
      await source.read(at, bytes);
      await target.write(at, bytes);
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: COPY_DEPTH }, copier));
  await target.flush();
  const seconds = (performance.now() - startMs) / 1000;
  await remove(plane, source, target);
  return spanBytes / seconds;
}

/** Bytes per second of RekeyDisk on an encrypted disk nobody uses, to the end of its task. */
async function rekey(plane: Plane, spanBytes: number): Promise<number> {
  await using disk = await newDisk(plane, true);
  await fillDisk(disk, spanBytes);
  await disk.flush();
  const startMs = performance.now();
  const { TaskId } = await plane.call('RekeyDisk', { DiskId: disk.diskId });
  await untilEnded(plane, TaskId);
  const seconds = (performance.now() - startMs) / 1000;
  await remove(plane, disk);
  return spanBytes / seconds;
}

async function remove(plane: Plane, ...disks: Disk[]): Promise<void> {
  for (const disk of disks) {
    await disk.close();
    await plane.call('DeleteDisk', { DiskId: disk.diskId });
  }
}

async function untilEnded(plane: Plane, taskId: string): Promise<void> {
  for (;;) {
    const { Tasks } = await plane.call('DescribeTasks', { TaskIds: [taskId] });
    const status = Tasks[0]?.TaskStatus;
    if (status === 'Finished') return;
    if (status !== 'Processing') throw new Error(`task ${taskId} is ${status}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function speedRatio(
  name: string,
  plane: Plane,
  rounds: number,
  spanBytes: number,
): Promise<Floor> {
  const ratios: number[] = [];
  let speed = 0;
  for (let round = 0; round < rounds; round++) {
    const copied = await plainCopy(plane, spanBytes);
    speed = await rekey(plane, spanBytes);
    ratios.push(speed / copied);
  }
  const note = `${(speed / 1e9).toFixed(2)} GB/s`;
  return { name, measured: median(ratios), unit: 'of a copy', kind: 'least', bound: 0.4, note };
}

/** p99 in milliseconds of 4 KiB requests, two reads a write, at a fixed depth. */
async function loadP99(disk: Disk, spanBytes: number, milliseconds: number): Promise<number> {
  const latencies: number[] = [];
  const endMs = performance.now() + milliseconds;
  const sectors = spanBytes / LOAD_BYTES;
  let counter = 0;
  const worker = async (): Promise<void> => {
    const bytes = new Uint8Array(LOAD_BYTES).fill(1);
    while (performance.now() < endMs) {
      counter++;
      // A fixed walk over all sectors in no order of theirs.
      const offset = ((counter * 7919) % sectors) * LOAD_BYTES;
      const startMs = performance.now();
      if (counter % 3 === 0) await disk.write(offset, bytes);
      else await disk.read(offset, bytes);
      latencies.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: LOAD_DEPTH }, worker));
  latencies.sort((a, b) => a - b);
  return latencies[Math.floor(latencies.length * 0.99)] as number;
}

async function latencyRatio(
  plane: Plane,
  rounds: number,
  milliseconds: number,
  spanBytes: number,
): Promise<Floor> {
  const ratios: number[] = [];
  let during = 0;
  const seconds = milliseconds / 1000;
  // Enough to move for as long as is measured.
  const span = Math.max(spanBytes, Math.ceil((2 * seconds * PACE_BYTES_PER_SECOND) / MIB) * MIB);
  await using disk = await newDisk(plane, true);
  await fillDisk(disk, span);
  for (let round = 0; round < rounds; round++) {
    const before = await loadP99(disk, LOAD_SPAN_BYTES, milliseconds);
    const { TaskId } = await plane.call('RekeyDisk', {
      DiskId: disk.diskId,
      BytesPerSecond: PACE_BYTES_PER_SECOND,
    });
    during = await loadP99(disk, LOAD_SPAN_BYTES, milliseconds);
    const { Tasks } = await plane.call('DescribeTasks', { TaskIds: [TaskId] });
    if (Tasks[0]?.TaskStatus !== 'Processing') throw new Error('the task ended before the load');
    await plane.call('PauseTask', { TaskId });
    const after = await loadP99(disk, LOAD_SPAN_BYTES, milliseconds);
    await plane.call('ResumeTask', { TaskId, BytesPerSecond: 0 });
    await untilEnded(plane, TaskId);
    ratios.push(during / ((before + after) / 2));
  }
  const name = 'p99 of 4 KiB requests during a paced re-encryption';
  const note = `${during.toFixed(2)} ms, ${PACE_BYTES_PER_SECOND / MIB} MiB/s moved beside`;
  return { name, measured: median(ratios), unit: 'x without', kind: 'most', bound: 2, note };
}

/** @param tmpfs a directory on a tmpfs. @param isQuick sizes that only show that it runs */
export async function reencryptionFloors(
  tmpfs: string,
  rounds: number,
  milliseconds: number,
  isQuick: boolean,
): Promise<Floor[]> {
  const spanBytes = (isQuick ? 16 : 256) * MIB;
  const directory = mkdtempSync(join(tmpfs, 'sealdisk-bench-'));
  try {
    await using memory = await openPlane({ memory: true, shards: 1 });
    await using file = await openPlane({ dataDir: join(directory, 'plane'), shards: 1 });
    return [
      await speedRatio('re-encryption, memory store', memory, rounds, spanBytes),
      await speedRatio('re-encryption, file store on tmpfs', file, rounds, spanBytes),
      await latencyRatio(memory, rounds, milliseconds, spanBytes),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
