/**
 * Memory for ciphertext whose sectors can be checksummed at full speed.
 *
 * A checksum computed in WebAssembly needs its input in WebAssembly memory, so ciphertext is kept
 * there from the start. V8 reserves 8 to 10 GiB of addresses for each such memory, whatever its
 * size: one for each segment would be terabytes, and fail at the second under `ulimit -v` of
 * 16 GiB. So what is taken is cut from a few arenas:
 *
 *   arena: one WebAssembly.Memory, growing to 4 GiB
 *   | page 0: xxh3-module's | extent of 64-KiB pages | extent | free | extent | not grown yet ...
 *
 * 1. An arena is a shared memory for one reason: growing an unshared one detaches the buffer that
 *    is in use. No other thread is ever given it. The price is that JavaScript's own fill and copy
 *    are slower on it (4 KiB: 1.3 us and 0.25 us, not 0.1 us); native code sees no difference.
 * 2. An arena never moves or shrinks: addresses in it are good for the life of the thread.
 * 3. An extent belongs to one SectorMemory or is free. Free extents are zero, ascending, and never
 *    adjacent to each other.
 * 4. Pages nobody has written to take no physical memory; nor, on Linux, do released ones.
 *
 * **Thread:** any; arenas belong to the thread that made them.
 */
import { type MemoryRegion, memoryRegion } from './bytes.ts';
import { PlaneError } from './errors.ts';
import { invariant } from './invariant.ts';
import { type NativeLibrary, nativeLibrary } from './native.ts';
import { SECTOR_BYTES } from './units.ts';
import { buildXxh3Module, XXH3_RESERVED_BYTES } from './xxh3-module.ts';

/** A page as WebAssembly.Memory counts them. */
const PAGE_BYTES = 65_536;
/** 4 GiB: all a 32-bit WebAssembly address reaches. */
const ARENA_PAGES_MAX = 65_536;
const RESERVED_PAGES = XXH3_RESERVED_BYTES / PAGE_BYTES;
const SLOTS_PER_PAGE = PAGE_BYTES / SECTOR_BYTES;
/** Largest SectorMemory. */
export const SECTOR_MEMORY_BYTES_MAX: number = (ARENA_PAGES_MAX - RESERVED_PAGES) * PAGE_BYTES;

invariant(Number.isInteger(SLOTS_PER_PAGE), 'a page is whole sectors');
invariant(Number.isInteger(RESERVED_PAGES), 'extents begin on pages');

/** Memory for ciphertext, in whole sectors. */
export class SectorMemory {
  /**
   * The bytes and their native address. Over a SharedArrayBuffer that only this thread has. Not to
   * be used after release().
   */
  readonly region: MemoryRegion;
  readonly #arena: Arena;
  readonly #extent: Extent;
  readonly #firstSlot: number;
  /** Zero once released: then no sector is inside. */
  #sectorCount: number;

  /**
   * Takes zeroed memory. It costs address space now and physical memory when it is written to.
   *
   * @param byteCount whole sectors, 4,096 to SECTOR_MEMORY_BYTES_MAX; a multiple of 64 KiB wastes
   *   nothing
   * @throws PlaneError NoSpace: no addresses or memory are left to this process
   */
  constructor(byteCount: number) {
    invariant(byteCount > 0 && byteCount <= SECTOR_MEMORY_BYTES_MAX, 'sector memory has a size');
    invariant(byteCount % SECTOR_BYTES === 0, 'sector memory is whole sectors');
    const { arena, extent } = takeExtent(Math.ceil(byteCount / PAGE_BYTES));
    this.#arena = arena;
    this.#extent = extent;
    this.#firstSlot = extent.firstPage * SLOTS_PER_PAGE;
    this.#sectorCount = byteCount / SECTOR_BYTES;
    this.region = memoryRegion(arena.view(extent.firstPage * PAGE_BYTES, byteCount));
  }

  /**
   * The checksum of one sector: the low 32 bits of its XXH3-64 with seed 0 and the default secret.
   *
   * @param offsetBytes where the sector begins in the region: a multiple of 4,096
   * @returns an unsigned 32-bit number
   * @throws InvariantError no such sector, or released
   */
  checksum(offsetBytes: number): number {
    return this.#arena.checksum(this.#slotAt(offsetBytes, 1)) >>> 0;
  }

  /**
   * Checksums of consecutive sectors.
   *
   * @param offsetBytes where the first begins in the region: a multiple of 4,096
   * @param target borrowed for the call; filled from index `at`
   * @throws InvariantError a sector that is not in the region, a target too short, or released
   */
  checksums(offsetBytes: number, sectorCount: number, target: Uint32Array, at: number): void {
    const firstSlot = this.#slotAt(offsetBytes, sectorCount);
    invariant(isRange(at, sectorCount, target.length), 'checksums fit their target');
    const checksum = this.#arena.checksum;
    for (let index = 0; index < sectorCount; index++) {
      target[at + index] = checksum(firstSlot + index);
    }
  }

  /**
   * Verifies consecutive sectors.
   *
   * @param offsetBytes where the first begins in the region: a multiple of 4,096
   * @param expected checksums from index `at`; borrowed for the call
   * @returns how many sectors into the run the first differing one is, -1 if none differs
   * @throws InvariantError a sector that is not in the region, too few expected, or released
   */
  findMismatch(
    offsetBytes: number,
    sectorCount: number,
    expected: Uint32Array,
    at: number,
  ): number {
    const firstSlot = this.#slotAt(offsetBytes, sectorCount);
    invariant(isRange(at, sectorCount, expected.length), 'every sector has an expected checksum');
    const checksum = this.#arena.checksum;
    for (let index = 0; index < sectorCount; index++) {
      if (checksum(firstSlot + index) >>> 0 !== expected[at + index]) return index;
    }
    return -1;
  }

  /**
   * Gives the memory back; without this it is kept until the thread ends, reachable or not. Memory
   * that will soon be written to again is better kept: a page that comes back costs a page fault.
   * The caller sees to it that nothing, native code included, uses the region any more. Idempotent.
   */
  release(): void {
    if (this.#sectorCount === 0) return;
    this.#sectorCount = 0;
    discard(this.region);
    this.#arena.give(this.#extent);
  }

  #slotAt(offsetBytes: number, sectorCount: number): number {
    const sector = offsetBytes / SECTOR_BYTES;
    invariant(isRange(sector, sectorCount, this.#sectorCount), 'sectors are inside the memory');
    return this.#firstSlot + sector;
  }
}

function isRange(first: number, count: number, limit: number): boolean {
  return (
    Number.isInteger(first) &&
    Number.isInteger(count) &&
    first >= 0 &&
    count >= 0 &&
    first + count <= limit
  );
}

/** What is used of the JavaScript API of WebAssembly: the compiler's node types do not have it. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
    grow(pageCount: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }
  class Instance {
    constructor(module: Module, imports: { memory: { sectors: Memory } });
    readonly exports: { readonly checksum: (slot: number) => number };
  }
}

/** Consecutive pages of an arena. */
interface Extent {
  readonly firstPage: number;
  readonly pageCount: number;
}

class Arena {
  /** Signed low 32 bits of XXH3-64 of the sector in a slot; slots count from the arena's start. */
  readonly checksum: (slot: number) => number;
  readonly #memory: WebAssembly.Memory;
  #pageCount: number;
  #free: Extent[];

  /** @param pageCount pages that are free at the start: enough for whoever asked for an arena */
  constructor(module: WebAssembly.Module, pageCount: number) {
    this.#pageCount = RESERVED_PAGES + pageCount;
    this.#memory = new WebAssembly.Memory({
      initial: this.#pageCount,
      maximum: ARENA_PAGES_MAX,
      shared: true,
    });
    this.#free = [{ firstPage: RESERVED_PAGES, pageCount }];
    const imports = { memory: { sectors: this.#memory } };
    this.checksum = new WebAssembly.Instance(module, imports).exports.checksum;
  }

  view(offsetBytes: number, byteCount: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, offsetBytes, byteCount);
  }

  /** @returns pages that are zero, or null if there are not as many in a row */
  take(pageCount: number): Extent | null {
    const index = this.#free.findIndex((free) => free.pageCount >= pageCount);
    if (index < 0) return this.#grow(pageCount);
    const { firstPage, pageCount: freePages } = this.#free[index]!;
    const rest = { firstPage: firstPage + pageCount, pageCount: freePages - pageCount };
    this.#free.splice(index, 1, ...(rest.pageCount > 0 ? [rest] : []));
    return { firstPage, pageCount };
  }

  /** Takes back an extent of take(), zeroed. */
  give(extent: Extent): void {
    const after = this.#free.findIndex((free) => free.firstPage > extent.firstPage);
    const index = after < 0 ? this.#free.length : after;
    this.#free.splice(index, 0, extent);
    this.#join(index);
    this.#join(index - 1);
  }

  /** Makes one of a free extent and the next, if they are adjacent. */
  #join(index: number): void {
    const [first, second] = [this.#free[index], this.#free[index + 1]];
    if (first === undefined || second === undefined) return;
    const firstEnd = first.firstPage + first.pageCount;
    invariant(firstEnd <= second.firstPage, 'an extent is free once');
    if (firstEnd < second.firstPage) return;
    const pageCount = first.pageCount + second.pageCount;
    this.#free.splice(index, 2, { firstPage: first.firstPage, pageCount });
  }

  #grow(pageCount: number): Extent | null {
    if (this.#pageCount + pageCount > ARENA_PAGES_MAX) return null;
    try {
      const firstPage = this.#memory.grow(pageCount);
      invariant(firstPage === this.#pageCount, 'only its arena grows a memory');
    } catch (error) {
      // V8 reserves less than the maximum when it must: then this arena is as large as it gets.
      if (error instanceof RangeError) return null;
      throw error;
    }
    const extent = { firstPage: this.#pageCount, pageCount };
    this.#pageCount += pageCount;
    return extent;
  }
}

/** This thread's. */
const arenas: Arena[] = [];
let compiled: WebAssembly.Module | undefined;

function takeExtent(pageCount: number): { arena: Arena; extent: Extent } {
  for (const arena of arenas) {
    const extent = arena.take(pageCount);
    if (extent !== null) return { arena, extent };
  }
  const arena = openArena(pageCount);
  arenas.push(arena);
  const extent = arena.take(pageCount);
  invariant(extent !== null, 'a new arena has what it was opened for');
  return { arena, extent };
}

function openArena(pageCount: number): Arena {
  compiled ??= new WebAssembly.Module(buildXxh3Module(ARENA_PAGES_MAX));
  try {
    return new Arena(compiled, pageCount);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new PlaneError(
      'NoSpace',
      `no memory for ${pageCount * PAGE_BYTES} more bytes of ciphertext ` +
        `(arenas: ${arenas.length}). ` +
        'An arena takes 8 to 10 GiB of addresses, which ulimit -v may forbid; started with ' +
        '--disable-wasm-trap-handler, node takes no more than is asked for',
      { cause },
    );
  }
}

/** Drops the pages: private anonymous ones read as zeros afterwards (Linux madvise(2)). */
const MADV_DONTNEED = 4;
const MADVISE = 'int madvise(uintptr_t address, size_t length, int advice)';
let madvise: ReturnType<NativeLibrary['find']> | undefined;

/** Zeroes a region, and gives its pages back to the operating system where it can be told to. */
function discard(region: MemoryRegion): void {
  const { bytes, address } = region;
  if (process.platform === 'linux') {
    madvise ??= nativeLibrary()?.find(MADVISE) ?? null;
    if (madvise?.(address, bytes.byteLength, MADV_DONTNEED) === 0) return;
  }
  bytes.fill(0);
}
