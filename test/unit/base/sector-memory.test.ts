import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { checksum as checksumBenchmark } from '../../../bench/micro/checksum.bench.ts';
import { InvariantError } from '../../../src/base/invariant.ts';
import { nativeAddressOf, nativeLibrary } from '../../../src/base/native.ts';
import { createPrng } from '../../../src/base/prng.ts';
import { SECTOR_MEMORY_BYTES_MAX, SectorMemory } from '../../../src/base/sector-memory.ts';
import { KIB, MIB, SECTOR_BYTES } from '../../../src/base/units.ts';

/** Of sectors of nothing but 0x00, and 0xff: where these come from is in xxh3-module.test.ts. */
const ZEROS_CHECKSUM = 0x48c689ba;
const ONES_CHECKSUM = 0x73851dd6;

const held: SectorMemory[] = [];

function take(byteCount: number): SectorMemory {
  const memory = new SectorMemory(byteCount);
  held.push(memory);
  return memory;
}

afterEach(() => {
  for (const memory of held.splice(0)) memory.release();
  vi.restoreAllMocks();
});

/** The part of the JavaScript API that is replaced; the compiler's node types do not have it. */
interface MemoryApi {
  Memory: new () => { grow(pageCount: number): number };
}
const { WebAssembly: webAssembly } = globalThis as unknown as { WebAssembly: MemoryApi };

function catchError(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** A second copy of the module, which has no arenas yet. */
async function withoutArenas(): Promise<typeof SectorMemory> {
  vi.resetModules();
  return (await import('../../../src/base/sector-memory.ts')).SectorMemory;
}

function fillRandom(memory: SectorMemory, seed: number): void {
  createPrng(seed).fill(memory.region.bytes);
}

describe('a run', () => {
  it('has the checksums of its sectors, put where they are wanted', () => {
    const memory = take(8 * SECTOR_BYTES);
    fillRandom(memory, 5);
    const target = new Uint32Array(10).fill(7);
    memory.checksums(2 * SECTOR_BYTES, 4, target, 3);
    const expected = [2, 3, 4, 5].map((index) => memory.checksum(index * SECTOR_BYTES));
    expect([...target]).toEqual([7, 7, 7, ...expected, 7, 7, 7]);
  });

  it('without sectors has no checksums and no mismatch', () => {
    const memory = take(SECTOR_BYTES);
    const target = new Uint32Array([9]);
    memory.checksums(SECTOR_BYTES, 0, target, 1);
    expect([...target]).toEqual([9]);
    expect(memory.findMismatch(0, 0, target, 0)).toBe(-1);
  });

  it('verifies as long as nothing changes, and else tells the first sector that did', () => {
    const memory = take(8 * SECTOR_BYTES);
    fillRandom(memory, 6);
    const expected = new Uint32Array(10);
    memory.checksums(SECTOR_BYTES, 6, expected, 2);
    expect(memory.findMismatch(SECTOR_BYTES, 6, expected, 2)).toBe(-1);
    for (const changed of [5, 3, 0]) {
      memory.region.bytes[(1 + changed) * SECTOR_BYTES + 4095]! ^= 0x80;
      expect(memory.findMismatch(SECTOR_BYTES, 6, expected, 2)).toBe(changed);
    }
    expect(memory.findMismatch(2 * SECTOR_BYTES, 2, expected, 3)).toBe(-1);
  });

  it.each([
    ['begins between sectors', 512, 1],
    ['begins before the memory', -SECTOR_BYTES, 1],
    ['begins behind the memory', 4 * SECTOR_BYTES, 1],
    ['ends behind the memory', 3 * SECTOR_BYTES, 2],
    ['begins nowhere', Number.NaN, 1],
    ['has a negative count', 0, -1],
    ['has a count that is not whole', 0, 1.5],
  ])('that %s is refused', (_why, offsetBytes, sectorCount) => {
    const memory = take(4 * SECTOR_BYTES);
    const values = new Uint32Array(8);
    expect(() => memory.checksums(offsetBytes, sectorCount, values, 0)).toThrow(InvariantError);
    expect(() => memory.findMismatch(offsetBytes, sectorCount, values, 0)).toThrow(InvariantError);
    if (sectorCount === 1) expect(() => memory.checksum(offsetBytes)).toThrow(InvariantError);
  });

  it.each([
    ['before', -1],
    ['across the end', 3],
    ['between two', 0.5],
  ])('that does not fit its array, %s, is refused', (_why, at) => {
    const memory = take(4 * SECTOR_BYTES);
    const values = new Uint32Array(4);
    expect(() => memory.checksums(0, 2, values, at)).toThrow(InvariantError);
    expect(() => memory.findMismatch(0, 2, values, at)).toThrow(InvariantError);
  });
});

describe('sector memory', () => {
  const hasNative = nativeLibrary() !== null;

  it.skipIf(!hasNative)('is written by native code where its address says', () => {
    const memset = nativeLibrary()!.find('void *memset(uintptr_t to, int byte, size_t count)')!;
    take(MIB);
    const memory = take(MIB);
    memset(memory.region.address + 2 * SECTOR_BYTES, 0xff, SECTOR_BYTES);
    const { bytes } = memory.region;
    expect(bytes.indexOf(0xff)).toBe(2 * SECTOR_BYTES);
    expect(bytes.lastIndexOf(0xff)).toBe(3 * SECTOR_BYTES - 1);
    expect(memory.checksum(2 * SECTOR_BYTES)).toBe(ONES_CHECKSUM);
  });

  it('stays where it is while more is taken', () => {
    const memory = take(MIB);
    fillRandom(memory, 7);
    const before = memory.checksum(255 * SECTOR_BYTES);
    for (let index = 0; index < 64; index++) take(MIB);
    expect(memory.region.address).toBe(nativeAddressOf(memory.region.bytes));
    expect(memory.checksum(255 * SECTOR_BYTES)).toBe(before);
    expect(memory.region.bytes.byteLength).toBe(MIB);
  });

  it.each([0, -SECTOR_BYTES, SECTOR_BYTES + 1, Number.NaN, SECTOR_MEMORY_BYTES_MAX + SECTOR_BYTES])(
    'of %d bytes is refused',
    (byteCount) => {
      expect(() => new SectorMemory(byteCount)).toThrow(InvariantError);
    },
  );

  it('is as large as WebAssembly allows, and good to the last sector', async () => {
    expect(SECTOR_MEMORY_BYTES_MAX).toBe(2 ** 32 - 65_536);
    const Fresh = await withoutArenas();
    const memory = new Fresh(SECTOR_MEMORY_BYTES_MAX);
    const last = SECTOR_MEMORY_BYTES_MAX - SECTOR_BYTES;
    memory.region.bytes.fill(0xff, last);
    expect(memory.checksum(last)).toBe(ONES_CHECKSUM);
    expect(memory.checksum(last - SECTOR_BYTES)).toBe(ZEROS_CHECKSUM);
    const another = new Fresh(SECTOR_BYTES);
    expect(another.checksum(0)).toBe(ZEROS_CHECKSUM);
  });

  it('takes no physical memory before it is written to: 2,048 of 16 MiB', async () => {
    const Fresh = await withoutArenas();
    const before = process.memoryUsage.rss();
    const all = Array.from({ length: 2048 }, () => new Fresh(16 * MIB));
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * MIB);
    expect(all[2047]!.checksum(16 * MIB - SECTOR_BYTES)).toBe(ZEROS_CHECKSUM);
  });

  it('is zero at the start, also where other memory was written to and released', async () => {
    const Fresh = await withoutArenas();
    const memory = new Fresh(256 * KIB);
    memory.region.bytes.fill(0xff);
    memory.release();
    const again = new Fresh(256 * KIB);
    expect(again.region.address).toBe(memory.region.address);
    expect(again.region.bytes.every((byte) => byte === 0)).toBe(true);
  });

  it('once released has no sectors, and is released once', () => {
    const memory = take(128 * KIB);
    memory.release();
    memory.release();
    expect(() => memory.checksum(0)).toThrow(InvariantError);
    const [first, second] = [take(128 * KIB), take(128 * KIB)];
    first.region.bytes.fill(1);
    expect(second.checksum(0)).toBe(ZEROS_CHECKSUM);
  });

  it.skipIf(process.platform !== 'linux' || !hasNative)('once released takes no memory', () => {
    const memory = take(64 * MIB);
    memory.region.bytes.fill(1);
    const before = process.memoryUsage.rss();
    memory.release();
    expect(before - process.memoryUsage.rss()).toBeGreaterThan(48 * MIB);
  });

  it('that was released in pieces is one again', async () => {
    const Fresh = await withoutArenas();
    const pieces = Array.from({ length: 6 }, () => new Fresh(MIB));
    const { address } = pieces[0]!.region;
    expect(pieces[5]!.region.address).toBe(address + 5 * MIB);
    for (const index of [1, 4, 3, 5, 0, 2]) pieces[index]!.release();
    expect(new Fresh(6 * MIB).region.address).toBe(address);
  });

  it('is never given to two, whatever is taken and released', () => {
    const step = fc.record({ sectors: fc.integer({ min: 1, max: 48 }), release: fc.nat(11) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const taken: { memory: SectorMemory; mark: number }[] = [];
        const isIntact = ({ memory, mark }: (typeof taken)[number]): boolean =>
          memory.region.bytes.every((byte) => byte === mark);
        for (const [index, { sectors, release }] of steps.entries()) {
          const memory = new SectorMemory(sectors * SECTOR_BYTES);
          if (!isIntact({ memory, mark: 0 })) return false;
          memory.region.bytes.fill(index + 1);
          taken.push({ memory, mark: index + 1 });
          const [released] = release < taken.length ? taken.splice(release, 1) : [];
          if (released !== undefined && !isIntact(released)) return false;
          released?.memory.release();
        }
        const isWell = taken.every(isIntact);
        for (const { memory } of taken) memory.release();
        return isWell;
      }),
      { numRuns: 60 },
    );
  });
});

describe('where memory cannot be had', () => {
  const noMemory = new RangeError('WebAssembly.Memory(): could not allocate memory');

  afterEach(() => {
    vi.doUnmock('../../../src/base/native.ts');
    vi.resetModules();
  });

  it('NoSpace says how much was wanted and what to do', async () => {
    const Fresh = await withoutArenas();
    vi.spyOn(webAssembly, 'Memory').mockImplementation(function refuse() {
      throw noMemory;
    });
    const error = catchError(() => new Fresh(16 * MIB));
    expect(error).toMatchObject({ name: 'PlaneError', code: 'NoSpace', cause: noMemory });
    expect((error as Error).message).toMatch(/16777216 more bytes.*ulimit -v.*--disable-wasm-trap/);
  });

  it('an arena that cannot grow is left for another', async () => {
    const Fresh = await withoutArenas();
    const first = new Fresh(MIB);
    const growing = vi.spyOn(webAssembly.Memory.prototype, 'grow').mockImplementation(() => {
      throw noMemory;
    });
    const second = new Fresh(MIB);
    expect(growing).toHaveBeenCalledTimes(1);
    expect(second.region.bytes.buffer).not.toBe(first.region.bytes.buffer);
    second.region.bytes.fill(0xff);
    expect(second.checksum(MIB - SECTOR_BYTES)).toBe(ONES_CHECKSUM);
    expect(first.checksum(MIB - SECTOR_BYTES)).toBe(ZEROS_CHECKSUM);
  });

  it('an error of another kind is not taken for a lack of memory', async () => {
    const Fresh = await withoutArenas();
    const bug = new TypeError('a bug');
    function fail(): never {
      throw bug;
    }
    const making = vi.spyOn(webAssembly, 'Memory').mockImplementation(fail);
    expect(catchError(() => new Fresh(MIB))).toBe(bug);
    making.mockRestore();
    new Fresh(MIB);
    vi.spyOn(webAssembly.Memory.prototype, 'grow').mockImplementation(fail);
    expect(catchError(() => new Fresh(MIB))).toBe(bug);
  });

  it('without native code everything works but giving pages back', async () => {
    vi.doMock('../../../src/base/native.ts', () => ({
      nativeLibrary: () => null,
      nativeAddressOf: () => 0,
    }));
    const Portable = await withoutArenas();
    const memory = new Portable(128 * KIB);
    expect(memory.region.address).toBe(0);
    memory.region.bytes.fill(0xff);
    expect(memory.checksum(0)).toBe(ONES_CHECKSUM);
    memory.release();
    expect(memory.region.bytes.every((byte) => byte === 0)).toBe(true);
  });
});

describe('the benchmark', () => {
  it('gives a rate for each way to ask', async () => {
    const rows = await checksumBenchmark(true);
    expect(rows).toHaveLength(4);
    for (const { opsPerSecond, bytesPerSecond } of rows) {
      expect(opsPerSecond).toBeGreaterThan(0);
      expect(bytesPerSecond).toBe(opsPerSecond * SECTOR_BYTES);
    }
  });
});
