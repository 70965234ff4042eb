/**
 * What durability costs: the checksum of a sector beside its encryption, flushes beside none, and
 * opening a plane that was killed beside one that was closed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allocateKey, zeroize } from '../../src/base/bytes.ts';
import { createPrng } from '../../src/base/prng.ts';
import { SectorMemory } from '../../src/base/sector-memory.ts';
import { KIB, MIB, SECTOR_BYTES } from '../../src/base/units.ts';
import { selectEngine } from '../../src/cipher/select-engine.ts';
import { type Disk, openPlane } from '../../src/index.ts';
import { median } from '../reference.ts';
import { fillDisk } from './closed-loop.ts';
import type { Floor } from './floor.ts';

const SECTORS = 32;
const SPAN_BYTES = 64 * MIB;
const IODEPTH = 32;

/** @param directories where files are written, by what the table calls them */
export async function durabilityFloors(
  directories: ReadonlyMap<string, string>,
  rounds: number,
  milliseconds: number,
  writtenMib: readonly number[],
): Promise<Floor[]> {
  const floors = [checksumFloor(rounds, milliseconds / 4)];
  for (const [name, directory] of directories) {
    floors.push(...(await flushFloors(name, directory, rounds, milliseconds)));
  }
  const [first] = directories.values();
  for (const mib of writtenMib) floors.push(await recoveryFloor(first as string, mib));
  return floors;
}

/** Both over 32 sectors that stay in the cache, one thread, in turns. */
function checksumFloor(rounds: number, milliseconds: number): Floor {
  const memory = new SectorMemory(2 * SECTORS * SECTOR_BYTES);
  const xtsKey = allocateKey(64);
  createPrng(1).fill(xtsKey);
  createPrng(2).fill(memory.region.bytes);
  const key = selectEngine('auto').engine.openKey(xtsKey);
  zeroize(xtsKey);
  const sums = new Uint32Array(SECTORS);
  const { region } = memory;
  const encrypt = (): void => key.encrypt(region, 0, region, SECTORS * SECTOR_BYTES, 0, SECTORS);
  const checksum = (): void => memory.checksums(0, SECTORS, sums, 0);
  try {
    timeOf(encrypt, milliseconds);
    timeOf(checksum, milliseconds);
    const ratios: number[] = [];
    let microseconds = 0;
    for (let round = 0; round < rounds; round++) {
      const encryptMs = timeOf(encrypt, milliseconds);
      const checksumMs = timeOf(checksum, milliseconds);
      ratios.push(checksumMs / encryptMs);
      microseconds = (checksumMs * 1000) / SECTORS;
    }
    const note = `${microseconds.toFixed(2)} us a sector`;
    const name = 'checksum of a sector in the cache, to its encryption';
    return { name, measured: median(ratios), unit: 'x', kind: 'most', bound: 1, note };
  } finally {
    key.close();
    memory.release();
  }
}

/** @returns milliseconds a call */
function timeOf(act: () => void, milliseconds: number): number {
  const start = performance.now();
  let calls = 0;
  while (performance.now() - start < milliseconds) {
    for (let call = 0; call < 16; call++) act();
    calls += 16;
  }
  return (performance.now() - start) / calls;
}

/** How writes are made to last: never, every so many of them, each by itself. */
const FLUSHES = [
  { name: 'a flush every 32 writes', flushEvery: 32, isFua: false },
  { name: 'each with FUA', flushEvery: 0, isFua: true },
] as const;

/** 4 KiB random writes at depth 32, to those that are never flushed, in turns. */
async function flushFloors(
  place: string,
  directory: string,
  rounds: number,
  milliseconds: number,
): Promise<Floor[]> {
  const home = mkdtempSync(join(directory, 'sealdisk-bench-'));
  try {
    await using plane = await openPlane({ dataDir: join(home, 'plane'), shards: 1 });
    const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
    const disk = await plane.attach(DiskId);
    await fillDisk(disk, SPAN_BYTES);
    const ratios: number[][] = FLUSHES.map(() => []);
    const speeds: number[] = FLUSHES.map(() => 0);
    for (let round = 0; round < rounds; round++) {
      const without = await writesPerSecond(disk, 0, false, milliseconds);
      for (const [index, { flushEvery, isFua }] of FLUSHES.entries()) {
        const speed = await writesPerSecond(disk, flushEvery, isFua, milliseconds);
        ratios[index]?.push(speed / without);
        speeds[index] = speed;
      }
      await disk.flush();
    }
    return FLUSHES.map(({ name }, index) => ({
      name: `4 KiB random writes on ${place}, depth 32, ${name}, to none`,
      measured: median(ratios[index] as number[]),
      unit: 'x',
      kind: 'least',
      bound: 0,
      note: `${((speeds[index] as number) / 1000).toFixed(1)}k IOPS`,
    }));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function writesPerSecond(
  disk: Disk,
  flushEvery: number,
  isFua: boolean,
  milliseconds: number,
): Promise<number> {
  let written = 0;
  const start = performance.now();
  const caller = async (index: number): Promise<void> => {
    const random = createPrng(index);
    const buffer = new Uint8Array(4 * KIB);
    random.fill(buffer);
    while (performance.now() - start < milliseconds) {
      const at = random.nextBelow(SPAN_BYTES / SECTOR_BYTES) * SECTOR_BYTES;
      await disk.write(at, buffer, isFua ? { fua: true } : undefined);
      written++;
      if (flushEvery > 0 && written % flushEvery === 0) await disk.flush();
    }
  };
  await Promise.all(Array.from({ length: IODEPTH }, (_, index) => caller(index)));
  return (written * 1000) / (performance.now() - start);
}

/** How long opening takes after a process that wrote so much, 4 KiB at random, was killed. */
async function recoveryFloor(directory: string, mib: number): Promise<Floor> {
  const home = mkdtempSync(join(directory, 'sealdisk-bench-'));
  const dataDir = join(home, 'plane');
  try {
    const program = fileURLToPath(new URL('./recovery-victim.js', import.meta.url));
    const victim = spawn(process.execPath, [program, dataDir, String(mib)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await written(victim);
    victim.kill('SIGKILL');
    await once(victim, 'close');
    const afterKill = await openMs(dataDir);
    const afterClose = await openMs(dataDir);
    return {
      name: `opening after a kill, ${mib} MiB in 4 KiB writes at random, to after a close`,
      measured: afterKill / afterClose,
      unit: 'x',
      kind: 'least',
      bound: 0,
      note: `${afterKill.toFixed(0)} ms and ${afterClose.toFixed(0)} ms`,
    };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function written(victim: ChildProcess): Promise<void> {
  await Promise.race([
    once(victim.stdout as NodeJS.ReadableStream, 'data'),
    once(victim, 'close').then(() => {
      throw new Error('the process that was to be killed ended by itself');
    }),
  ]);
}

async function openMs(dataDir: string): Promise<number> {
  const start = performance.now();
  const plane = await openPlane({ dataDir });
  const milliseconds = performance.now() - start;
  await plane.close();
  return milliseconds;
}
