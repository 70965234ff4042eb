/**
 * A reader of 60 lines of Python, made from the heads of the files that implement the formats, and
 * the library agree about what a shard's files say: after any history, kill and power cut included.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openPlane } from 'sealdisk';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../../src/base/prng.ts';
import { ChunkMap, createChunkRun } from '../../src/segment/chunk-map.ts';
import { openFileStore } from '../../src/segment/file-store.ts';
import { nodeFileSystem } from '../../src/segment/file-system.ts';
import type { StoreGeometry } from '../../src/segment/geometry.ts';
import { recoverStore } from '../../src/segment/recover.ts';
import { SlotTable } from '../../src/segment/slot-table.ts';
import { TreeTable } from '../../src/segment/tree-table.ts';
import { SimulatedFileSystem } from '../support/simulated-file-system.ts';
import { StoreOracle } from '../support/store-oracle.ts';
import { RANGES, StoreScript } from '../support/store-script.ts';
import { learnDataKey } from '../support/subject.ts';
import { tempDir } from '../support/temp-dir.ts';

const READER = new URL('../reader/read_store.py', import.meta.url).pathname;
const GEOMETRY: StoreGeometry = { segmentSectors: 8, logBytesMax: 1500, reserveBytes: 4096 };
const SECTOR_BYTES = 4096;

/** The reader needs Python 3 and libnettle; nothing of either is installed for it. */
function obstacleOf(): string {
  const words = ['-c', `import sys; sys.path.insert(0, '${dirname(READER)}'); import xts`];
  return spawnSync('python3', words).status === 0
    ? ''
    : '(skipped: python3 with libnettle is not here)';
}

const obstacle = obstacleOf();

interface Line {
  readonly tree: string;
  readonly sector: number;
  readonly location: string;
  readonly checksum: number;
  readonly matches: boolean;
  readonly plaintext: string;
}

function read(directory: string, ...keys: string[]): Line[] {
  const parameters = [READER, directory, ...keys];
  const text = execFileSync('python3', parameters, { encoding: 'utf8', maxBuffer: 1 << 28 });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [tree = '', sector, segment, slot, checksum, matches, plaintext = ''] = line.split(' ');
      const location = `${segment}:${slot}`;
      const isMatch = matches === 'True';
      return {
        tree,
        sector: Number(sector),
        location,
        checksum: Number(checksum),
        matches: isMatch,
        plaintext,
      };
    });
}

/** The same from the library's own recovery. */
function recovered(directory: string, geometry: StoreGeometry): string[] {
  const table = new SlotTable(geometry.segmentSectors);
  const trees = new TreeTable(new ChunkMap(table));
  recoverStore({ fileSystem: nodeFileSystem, directory, geometry, table, trees });
  const lines: string[] = [];
  const run = createChunkRun(1);
  for (const tree of trees.all()) {
    for (const { sector: first, sectorCount } of RANGES) {
      for (let sector = first; sector < first + sectorCount; sector++) {
        trees.lookup(tree, sector, 1, run);
        if (run.isHole) continue;
        const { location, checksums } = run;
        const segment = table.segmentNumberOf(location);
        lines.push(`${tree.name} ${sector} ${segment}:${table.slotOf(location)} ${checksums[0]}`);
      }
    }
  }
  return lines.sort();
}

function copyOut(disk: SimulatedFileSystem, directory: string): void {
  for (const path of disk.paths()) {
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, disk.content(path));
  }
  mkdirSync(join(directory, 'store/segments'), { recursive: true });
}

describe.skipIf(obstacle !== '')(`an independent reader ${obstacle}`, () => {
  let sectorsTold = 0;

  it.each([
    ['a close', 1],
    ['a close', 2],
    ['a kill', 3],
    ['a kill', 4],
    ['a kill', 5],
    ['a power cut', 6],
    ['a power cut', 7],
    ['a power cut', 8],
    ['a power cut', 9],
  ] as const)('agrees with recovery after %s, history %d', (end, seed) => {
    const prng = createPrng(7_000 + seed);
    const disk = new SimulatedFileSystem();
    const { store } = openFileStore('/store', { fileSystem: disk, geometry: GEOMETRY });
    const script = new StoreScript(store, new StoreOracle(), prng);
    script.run(40 + prng.nextBelow(200));
    if (end === 'a close') store.close();
    else store.commit();
    using dir = tempDir();
    copyOut(end === 'a power cut' ? disk.cutPower(prng, 0.5) : disk, dir.path);
    const directory = join(dir.path, 'store');
    const lines = read(directory);
    const told = lines.map((line) => {
      const { tree, sector, location, checksum } = line;
      return `${tree} ${sector} ${location} ${checksum}`;
    });
    expect(lines.every(({ matches }) => matches)).toBe(true);
    expect(told.sort()).toEqual(recovered(directory, GEOMETRY));
    sectorsTold += told.length;
  });

  it('had something to tell in those histories', () => {
    expect(sectorsTold).toBeGreaterThan(200);
  });

  it('has 60 lines below its imports', () => {
    const [, body = ''] = readFileSync(READER, 'utf8').split(/^store, keys = .*\n/m);
    expect(body.trim().split('\n').length).toBeLessThanOrEqual(60);
  });

  it('decrypts what a plane wrote, closed or killed, given the key', async () => {
    using dir = tempDir();
    const [dataDir, killed] = [join(dir.path, 'plane'), join(dir.path, 'killed')];
    const prng = createPrng(77);
    const plane = await openPlane({ dataDir, shards: 1 });
    const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
    const disk = await plane.attach(DiskId);
    const random = (length: number): Uint8Array =>
      Uint8Array.from({ length }, () => prng.nextBelow(256));
    for (let count = 0; count < 12; count++) {
      await disk.write(prng.nextBelow(200 * SECTOR_BYTES), random(1 + prng.nextBelow(60_000)));
      if (count % 3 === 0) await disk.trim(prng.nextBelow(100 * SECTOR_BYTES), 30_000);
    }
    await plane.call('CreateSnapshot', { DiskId });
    await disk.write(5 * SECTOR_BYTES, random(3 * SECTOR_BYTES));
    const content = await disk.read(0, 256 * SECTOR_BYTES);
    cpSync(dataDir, killed, { recursive: true });
    await disk.close();
    await plane.close();
    const key = Buffer.from(await learnDataKey(dataDir, DiskId)).toString('hex');
    for (const place of [killed, dataDir]) {
      const lines = read(join(place, 'shard-0'), `${DiskId}=${key}`);
      const found = new Map(
        lines.filter(({ tree }) => tree === DiskId).map((line) => [line.sector, line]),
      );
      expect(found.size).toBeGreaterThan(50);
      expect(lines.length).toBeGreaterThan(found.size);
      for (let sector = 0; sector < 256; sector++) {
        const plain = content.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
        const line = found.get(sector);
        if (line === undefined) expect(plain.every((byte) => byte === 0)).toBe(true);
        else expect(line.plaintext).toBe(createHash('sha256').update(plain).digest('hex'));
        expect(line?.matches ?? true).toBe(true);
      }
    }
  });

  it('says of a sector that is damaged that it differs', async () => {
    using dir = tempDir();
    const disk = new SimulatedFileSystem();
    const { store } = openFileStore('/store', { fileSystem: disk, geometry: GEOMETRY });
    new StoreScript(store, new StoreOracle(), createPrng(5)).run(150);
    store.close();
    copyOut(disk, dir.path);
    const directory = join(dir.path, 'store');
    const [first] = read(directory);
    const [segment = '', slot = ''] = (first?.location ?? '').split(':');
    const path = join(directory, `segments/${Number(segment).toString(16).padStart(8, '0')}.seg`);
    const bytes = readFileSync(path);
    bytes[Number(slot) * SECTOR_BYTES + 100]! ^= 1;
    writeFileSync(path, bytes);
    const damaged = read(directory).filter(({ matches }) => !matches);
    expect(damaged.length).toBeGreaterThan(0);
    expect(damaged.every(({ location }) => location === first?.location)).toBe(true);
  });
});
