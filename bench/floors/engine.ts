/**
 * The default engine by itself: one thread, one sector a call, bytes in cache. Ratio to R.
 */
import { allocateKey, type MemoryRegion, memoryRegion, zeroize } from '../../src/base/bytes.ts';
import { createPrng } from '../../src/base/prng.ts';
import { SECTOR_BYTES } from '../../src/base/units.ts';
import type { SectorKey } from '../../src/cipher/sector-cipher.ts';
import { selectEngine } from '../../src/cipher/select-engine.ts';
import { measureReference, median } from '../reference.ts';
import type { Floor } from './floor.ts';

const POOL_SECTORS = 64;
const CALLS_PER_READING = 256;

/** OpenSSL 3.5 (Node 22 and later) encrypts with AVX-512 where R's may not: more is asked of it. */
const BOUND = Number(process.versions.node.split('.')[0]) >= 22 ? 0.95 : 0.55;

/** @param rounds measurements, each beside an R of its own */
export async function engineFloors(rounds: number, milliseconds: number): Promise<Floor[]> {
  const { engine } = selectEngine('auto');
  const key = openKey();
  try {
    const floors: Floor[] = [];
    for (const direction of ['encrypt', 'decrypt'] as const) {
      const ratios: number[] = [];
      let speed = 0;
      for (let round = 0; round < rounds; round++) {
        const reference = await measureReference();
        if (reference === null)
          throw new Error('the floors are ratios to openssl speed: no openssl');
        speed = measure(key, direction, milliseconds);
        ratios.push(speed / reference);
      }
      const name = `engine ${engine.name}, one thread, 4 KiB, ${direction}`;
      const note = `${(speed / 1e9).toFixed(2)} GB/s, Node ${process.versions.node}`;
      floors.push({ name, measured: median(ratios), unit: 'R', kind: 'least', bound: BOUND, note });
    }
    return floors;
  } finally {
    key.close();
  }
}

/** @returns bytes per second */
function measure(key: SectorKey, direction: 'encrypt' | 'decrypt', milliseconds: number): number {
  const source = pool();
  const target = pool();
  const run = (untilMs: number): number => {
    let sectors = 0;
    while (performance.now() < untilMs) {
      for (let call = 0; call < CALLS_PER_READING; call++, sectors++) {
        const at = (sectors % POOL_SECTORS) * SECTOR_BYTES;
        key[direction](source, at, target, at, sectors, 1);
      }
    }
    return sectors;
  };
  run(performance.now() + milliseconds / 4);
  const start = performance.now();
  const sectors = run(start + milliseconds);
  return (sectors * SECTOR_BYTES * 1000) / (performance.now() - start);
}

function pool(): MemoryRegion {
  const region = memoryRegion(new Uint8Array(new SharedArrayBuffer(POOL_SECTORS * SECTOR_BYTES)));
  createPrng(2).fill(region.bytes);
  return region;
}

function openKey(): SectorKey {
  const xtsKey = allocateKey(64);
  try {
    createPrng(1).fill(xtsKey);
    return selectEngine('auto').engine.openKey(xtsKey);
  } finally {
    zeroize(xtsKey);
  }
}
