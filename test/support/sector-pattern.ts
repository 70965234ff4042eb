/**
 * Sector content that tells which write it came from: sector, version, and nothing left to chance.
 *
 * Every sector holds its index and a version in its first and last 16 bytes and a byte derived from
 * both in between, so a torn, misplaced or stale sector is told from a whole one.
 */
import type { MemoryRegion } from '../../src/base/bytes.ts';
import type { SectorFiller, ShardStore, Tree } from '../../src/segment/shard-store.ts';

export const SECTOR = 4096;
/** The version of a hole. */
export const HOLE = 0;

function putLabel(view: DataView, at: number, sector: number, version: number): void {
  view.setFloat64(at, sector, true);
  view.setFloat64(at + 8, version, true);
}

export function putSector(bytes: Uint8Array, at: number, sector: number, version: number): void {
  bytes.fill((version * 31 + sector) & 0xff, at + 16, at + SECTOR - 16);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  putLabel(view, at, sector, version);
  putLabel(view, at + SECTOR - 16, sector, version);
}

const expected = Buffer.alloc(SECTOR);

/** @returns the version of the sector at an offset; throws if it is not a whole, placed sector */
export function versionAt(bytes: Uint8Array, at: number, sector: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getFloat64(at + 8, true);
  putSector(expected, 0, sector, version);
  const actual = bytes.subarray(at, at + SECTOR);
  if (expected.equals(actual)) return version;
  throw new Error(`sector ${sector} holds no whole sector of its own (version ${version}?)`);
}

/** Fills every sector of a request with one version. */
export function fillerOf(version: number): SectorFiller {
  return {
    fill(target: MemoryRegion, targetOffset: number, firstSector: number, sectorCount: number) {
      for (let index = 0; index < sectorCount; index++) {
        putSector(target.bytes, targetOffset + index * SECTOR, firstSector + index, version);
      }
    },
  };
}

/** Reads versions of a range; HOLE where nothing is. Throws unless runs ascend and cover it. */
export function readVersions(
  store: ShardStore,
  tree: Tree,
  sector: number,
  sectorCount: number,
): number[] {
  const versions: number[] = [];
  const expectNext = (firstSector: number, count: number) => {
    if (firstSector !== sector + versions.length || count < 1) {
      throw new Error(`expected sector ${sector + versions.length}, visited ${firstSector}`);
    }
  };
  store.read(tree, sector, sectorCount, {
    hole(firstSector, count) {
      expectNext(firstSector, count);
      for (let index = 0; index < count; index++) versions.push(HOLE);
    },
    run(source, sourceOffset, firstSector, count) {
      expectNext(firstSector, count);
      for (let index = 0; index < count; index++) {
        versions.push(versionAt(source.bytes, sourceOffset + index * SECTOR, firstSector + index));
      }
    },
  });
  if (versions.length !== sectorCount) {
    throw new Error(`expected ${sectorCount} sectors, visited ${versions.length}`);
  }
  return versions;
}

/** Makes idle() run dry. Throws if it never does. */
export function runDry(store: ShardStore, callsMax = 100_000): void {
  for (let calls = 0; calls < callsMax; calls++) if (!store.idle()) return;
  throw new Error(`idle() had more to do after ${callsMax} calls`);
}
