/**
 * How large the disks of a trace are: from device_size.csv (device_id, capacity in bytes), or from
 * a first pass over the trace that finds the furthest byte of each device.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { PlaneError } from '../base/errors.ts';
import { TraceFile } from './trace-file.ts';
import { traceInvalid } from './trace-format.ts';

/** Device id -> bytes. */
export type DeviceSizes = ReadonlyMap<number, number>;

/**
 * Reads device_size.csv.
 *
 * @throws PlaneError TraceInvalid with file:line
 */
export async function readDeviceSizes(fileName: string): Promise<DeviceSizes> {
  const sizes = new Map<number, number>();
  const input = createReadStream(fileName);
  let line = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      line += 1;
      if (text.trim() === '') continue;
      const match = /^(\d+),(\d+)$/.exec(text.trim());
      const sizeBytes = Number(match?.[2]);
      if (match === null || !Number.isSafeInteger(sizeBytes) || sizeBytes === 0) {
        throw traceInvalid(
          fileName,
          line,
          `expected device_id,capacity, got '${text.slice(0, 60)}'`,
        );
      }
      sizes.set(Number(match[1]), sizeBytes);
    }
  } catch (error) {
    if (error instanceof PlaneError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new PlaneError('TraceInvalid', `${fileName}: ${detail}`, { cause: error });
  }
  return sizes;
}

/**
 * Finds the furthest byte of each device: one pass over the whole file, constant memory.
 *
 * @param onProgress told the share done, 0 to 1, now and then
 * @param isStopped asked now and then; true ends the pass early
 * @throws PlaneError TraceInvalid with file:line
 */
export async function scanDeviceSizes(
  fileName: string,
  onProgress: (share: number) => void,
  isStopped: () => boolean,
): Promise<DeviceSizes> {
  const sizes = new Map<number, number>();
  const file = await TraceFile.open(fileName);
  try {
    while (!isStopped()) {
      const batch = await file.next();
      if (batch === null) break;
      for (let index = 0; index < batch.count; index++) {
        const device = batch.devices[index]!;
        const endBytes = batch.offsets[index]! + batch.lengths[index]!;
        const known = sizes.get(device);
        if (known === undefined || endBytes > known) sizes.set(device, endBytes);
      }
      onProgress(file.progress());
    }
  } finally {
    await file.close();
  }
  return sizes;
}
