/**
 * Sector cipher engines, one thread, bytes in cache.
 *
 * Goal: the cost of a sector by engine and Node version, to set against the physical limit
 * (`openssl speed -evp aes-256-xts -bytes 4096`). Not a goal: throughput of a plane, which adds
 * threads, the store and the doors.
 *
 * An operation is one call. A sample is as many calls as take tens of microseconds, because the
 * clock is read around each sample. The figure is of the median sample: on a shared machine the
 * mean is mostly about the neighbours.
 */
import { Bench } from 'tinybench';
import { allocateKey, type MemoryRegion, memoryRegion, zeroize } from '../../src/base/bytes.ts';
import { invariant } from '../../src/base/invariant.ts';
import { createPrng } from '../../src/base/prng.ts';
import { SECTOR_BYTES } from '../../src/base/units.ts';
import type { SectorCipherName, SectorKey } from '../../src/cipher/sector-cipher.ts';
import { selectEngine, surveyEngines } from '../../src/cipher/select-engine.ts';
import type { BenchRow } from './row.ts';

/** Calls of 32 sectors are what one 128 KiB request comes to. */
const SECTOR_COUNTS = [1, 32] as const;
const POOL_SECTORS = 64;

/** Calls of one sector in one sample. */
const SAMPLE_CALLS: Record<SectorCipherName, number> = {
  'openssl-ffi': 64,
  'node-crypto': 8,
  'noble-reference': 1,
};

interface BenchCase {
  readonly name: string;
  readonly callsPerSample: number;
  readonly bytesPerCall: number;
  run(turn: number): void;
}

/**
 * Measures every engine that works here: a second a row.
 *
 * @param isSmoke true: only long enough to see that everything runs, under a second for all rows
 */
export async function engines(isSmoke: boolean): Promise<BenchRow[]> {
  const timeMs = isSmoke ? 1 : 1_000;
  const bench = new Bench({
    time: timeMs,
    iterations: isSmoke ? 3 : 64,
    warmupTime: timeMs / 4,
    warmupIterations: isSmoke ? 1 : 16,
    throws: true,
  });
  const keys: SectorKey[] = [];
  try {
    const cases = engineCases(keys);
    for (const { name, callsPerSample, run } of cases) {
      bench.add(name, () => {
        for (let turn = 0; turn < callsPerSample; turn++) run(turn);
      });
    }
    await bench.run();
    return cases.map((benchCase) => toRow(bench, benchCase));
  } finally {
    for (const key of keys) key.close();
  }
}

function toRow(bench: Bench, { name, callsPerSample, bytesPerCall }: BenchCase): BenchRow {
  const result = bench.getTask(name)?.result;
  invariant(result !== undefined && result.state === 'completed', `${name} was measured`);
  const opsPerSecond = (1_000 / result.latency.p50) * callsPerSample;
  return { name, opsPerSecond, bytesPerSecond: opsPerSecond * bytesPerCall };
}

/** @param keys takes every key that is opened, to be closed by the caller */
function engineCases(keys: SectorKey[]): BenchCase[] {
  const pool = randomPool();
  const target = memoryRegion(new Uint8Array(new SharedArrayBuffer(POOL_SECTORS * SECTOR_BYTES)));
  const cases: BenchCase[] = [];
  for (const { name, verdict } of surveyEngines()) {
    // An engine that does not work here has no row; `sealdisk doctor` says why it does not.
    if (verdict === 'failed') continue;
    const key = openKey(name);
    keys.push(key);
    for (const direction of ['encrypt', 'decrypt'] as const) {
      for (const sectorCount of SECTOR_COUNTS) {
        cases.push({
          name: `${name} ${direction} ${sectorCount * 4} KiB`,
          callsPerSample: Math.ceil(SAMPLE_CALLS[name] / sectorCount),
          bytesPerCall: sectorCount * SECTOR_BYTES,
          run(turn) {
            const offset = ((turn * sectorCount) % POOL_SECTORS) * SECTOR_BYTES;
            key[direction](pool, offset, target, offset, turn, sectorCount);
          },
        });
      }
    }
  }
  return cases;
}

function openKey(name: SectorCipherName): SectorKey {
  const xtsKey = allocateKey(64);
  try {
    createPrng(1).fill(xtsKey);
    return selectEngine(name).engine.openKey(xtsKey);
  } finally {
    zeroize(xtsKey);
  }
}

function randomPool(): MemoryRegion {
  const pool = memoryRegion(new Uint8Array(new SharedArrayBuffer(POOL_SECTORS * SECTOR_BYTES)));
  createPrng(2).fill(pool.bytes);
  return pool;
}
