/**
 * The naive baseline as a target: one piscina task per request, one cipher object per sector,
 * buffers cloned both ways, ciphertext kept sector by sector in a Map in the main thread.
 *
 * It is honest work: real AES-256-XTS with the same tweaks as the data plane, and reads return what
 * was written. It promises no order between requests in flight, serves whole sectors only, and
 * flush has nothing to do.
 */
import { randomBytes } from 'node:crypto';
import { Piscina } from 'piscina';
import { PlaneError } from '../../src/base/errors.ts';
import type { Target, TargetDisk } from '../../src/load/target.ts';
import type { NaiveTask } from './naive-worker.ts';

const SECTOR_BYTES = 4096;
const THREADS = 2;
const XTS_KEY_BYTES = 64;

/** Starts the threads. */
export async function openNaiveTarget(): Promise<Target> {
  const pool = new Piscina<NaiveTask, Uint8Array>({
    filename: new URL('./naive-worker.js', import.meta.url).href,
    name: 'naiveTask',
    minThreads: THREADS,
    maxThreads: THREADS,
  });
  return {
    name: 'naive',
    keepsBytes: true,
    openDisk: async (name, sizeBytes) => openNaiveDisk(pool, name, sizeBytes),
    close: () => pool.destroy(),
  };
}

function openNaiveDisk(
  pool: Piscina<NaiveTask, Uint8Array>,
  name: string,
  sizeBytes: number,
): TargetDisk {
  const key = new Uint8Array(randomBytes(XTS_KEY_BYTES));
  const sectors = new Map<number, Uint8Array>();
  const noSector = new Uint8Array(SECTOR_BYTES);

  const read = async (offsetBytes: number, into: Uint8Array): Promise<void> => {
    const firstSector = sectorOf(offsetBytes, into.byteLength);
    const ciphertext = new Uint8Array(into.byteLength);
    const holes: number[] = [];
    for (let at = 0; at < into.byteLength; at += SECTOR_BYTES) {
      const sector = sectors.get(firstSector + at / SECTOR_BYTES);
      if (sector === undefined) holes.push(at);
      ciphertext.set(sector ?? noSector, at);
    }
    into.set(await pool.run({ direction: 'decrypt', key, firstSector, bytes: ciphertext }));
    for (const at of holes) into.fill(0, at, at + SECTOR_BYTES);
  };
  const write = async (offsetBytes: number, bytes: Uint8Array): Promise<void> => {
    const firstSector = sectorOf(offsetBytes, bytes.byteLength);
    const ciphertext = await pool.run({ direction: 'encrypt', key, firstSector, bytes });
    for (let at = 0; at < ciphertext.byteLength; at += SECTOR_BYTES) {
      sectors.set(firstSector + at / SECTOR_BYTES, ciphertext.slice(at, at + SECTOR_BYTES));
    }
  };
  const trim = async (offsetBytes: number, lengthBytes: number): Promise<void> => {
    const firstSector = sectorOf(offsetBytes, lengthBytes);
    for (let at = 0; at < lengthBytes; at += SECTOR_BYTES) {
      sectors.delete(firstSector + at / SECTOR_BYTES);
    }
  };
  return {
    name,
    sizeBytes,
    isFresh: true,
    read,
    write,
    trim,
    flush: async () => {},
    close: async () => sectors.clear(),
  };
}

function sectorOf(offsetBytes: number, lengthBytes: number): number {
  if (offsetBytes % SECTOR_BYTES !== 0 || lengthBytes % SECTOR_BYTES !== 0) {
    throw new PlaneError(
      'InvalidArgument',
      `the naive baseline serves whole sectors, got ${offsetBytes} + ${lengthBytes}`,
    );
  }
  return offsetBytes / SECTOR_BYTES;
}
