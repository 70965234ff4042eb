/**
 * Looks for bytes in the memory of another process, by /proc/PID/mem, and says in which kind of
 * region they lie. Keys are looked for by 16-byte quarters: what is left of a key in freed memory
 * is seldom whole.
 *
 * Attribution: the main thread's malloc is `[heap]`; every other thread's malloc is an arena of its
 * own, an anonymous mapping that starts on a 64 MiB edge (glibc, HEAP_MAX_SIZE). A thread's stack
 * lies above a guard page. Everything else anonymous is V8's or a large block of some thread.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';

export type RegionKind =
  | 'main heap'
  | 'main stack'
  | 'thread stack'
  | 'thread arena'
  | 'anonymous'
  | 'file';

export interface MemoryHit {
  readonly needle: string;
  readonly address: number;
  readonly region: RegionKind;
  /** The mapping: start, end, permissions. */
  readonly mapping: string;
}

const ARENA_BYTES = 64 * 1024 * 1024;
const GUARD_BYTES_MAX = 64 * 1024;
const CHUNK_BYTES = 8 * 1024 * 1024;

/** Why a scan cannot be done here; empty if it can. */
export function scanObstacle(): string {
  if (process.platform !== 'linux') return 'needs /proc/PID/mem, which is Linux';
  if (!existsSync('/proc/self/mem')) return '/proc is not mounted';
  return '';
}

/**
 * Every way a key's bytes may lie in memory: by quarters (so also whole), as hex in both cases, as
 * base64, and as a list of decimals, which is what JSON makes of bytes.
 */
export function keyNeedles(name: string, key: Uint8Array): Map<string, Buffer> {
  const bytes = Buffer.from(key);
  const needles = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length; at += 16) {
    needles.set(`${name} quarter ${at / 16}`, Buffer.from(bytes.subarray(at, at + 16)));
  }
  needles.set(`${name} hex`, Buffer.from(bytes.toString('hex')));
  needles.set(`${name} HEX`, Buffer.from(bytes.toString('hex').toUpperCase()));
  needles.set(`${name} base64`, Buffer.from(bytes.toString('base64').slice(0, 20)));
  needles.set(`${name} decimals`, Buffer.from([...bytes.subarray(0, 8)].join(',')));
  return needles;
}

/** @param processId a child of this process, or one it may trace */
export function scanMemory(processId: number, needles: ReadonlyMap<string, Buffer>): MemoryHit[] {
  const hits: MemoryHit[] = [];
  const memory = openSync(`/proc/${processId}/mem`, 'r');
  try {
    for (const region of readRegions(processId)) scanRegion(memory, region, needles, hits);
  } finally {
    closeSync(memory);
  }
  return hits;
}

interface Region {
  readonly start: number;
  readonly end: number;
  readonly kind: RegionKind;
  readonly mapping: string;
}

function readRegions(processId: number): Region[] {
  const regions: Region[] = [];
  let guardEnd = 0;
  for (const line of readFileSync(`/proc/${processId}/maps`, 'utf8').trim().split('\n')) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) (....) \S+ \S+ \d+\s*(.*)$/.exec(line);
    if (match === null) continue;
    const [, from = '', to = '', permissions = ''] = match;
    const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
    if (permissions === '---p' && end - start <= GUARD_BYTES_MAX) guardEnd = end;
    if (!permissions.startsWith('r')) continue;
    const path = match[4] ?? '';
    if (path === '[vvar]' || path === '[vsyscall]' || path.startsWith('[vvar')) continue;
    // Code of a file, which nobody can have written to.
    if (path.startsWith('/') && permissions.startsWith('r-x')) continue;
    const isAboveGuard = start === guardEnd && path === '';
    const kind = isAboveGuard ? 'thread stack' : kindOf(path, start, permissions);
    regions.push({ start, end, kind, mapping: `${from}-${to} ${permissions}` });
  }
  return regions;
}

function kindOf(path: string, start: number, permissions: string): RegionKind {
  if (path === '[heap]') return 'main heap';
  if (path.startsWith('[stack')) return 'main stack';
  if (path !== '' && !path.startsWith('[')) return 'file';
  const isArena = start % ARENA_BYTES === 0 && permissions.startsWith('rw-');
  return isArena ? 'thread arena' : 'anonymous';
}

function scanRegion(
  memory: number,
  region: Region,
  needles: ReadonlyMap<string, Buffer>,
  hits: MemoryHit[],
): void {
  const overlap = 128;
  const chunk = Buffer.alloc(CHUNK_BYTES + overlap);
  for (let at = region.start; at < region.end; at += CHUNK_BYTES) {
    const wanted = Math.min(CHUNK_BYTES + overlap, region.end - at);
    let got = 0;
    try {
      got = readSync(memory, chunk, 0, wanted, at);
    } catch (error) {
      // A region that went away, or pages that cannot be read (guard pages): nothing lies there.
      if (!['EIO', 'EFAULT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      continue;
    }
    const view = chunk.subarray(0, got);
    for (const [needle, bytes] of needles) {
      for (let found = view.indexOf(bytes); found >= 0; found = view.indexOf(bytes, found + 1)) {
        if (found >= CHUNK_BYTES) break;
        const { kind, mapping } = region;
        hits.push({ needle, address: at + found, region: kind, mapping });
      }
    }
  }
  chunk.fill(0);
}
