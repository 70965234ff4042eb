/**
 * Disks of several layers whose thread is killed, or whose machine loses power, at any call of the
 * file system. What is read afterwards, through the layers the records name, is what was
 * acknowledged: nothing flushed is lost, and nothing overwritten or zeroed comes back.
 */
import { expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { createPrng, type Prng } from '../../../src/base/prng.ts';
import { openFileStore } from '../../../src/segment/file-store.ts';
import type { StoreGeometry } from '../../../src/segment/geometry.ts';
import type { ShardStore } from '../../../src/segment/shard-store.ts';
import { FaultyFileSystem, NthCallPlan, WRITING_CALLS } from '../../support/faulty-file-system.ts';
import { type DiskRecords, LayeredDisks } from '../../support/layered-disks.ts';
import { longFactor } from '../../support/long.ts';
import { HOLE, putSector, SECTOR, versionAt } from '../../support/sector-pattern.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';
import { type Content, type OracleSnapshot, StoreOracle } from '../../support/store-oracle.ts';

const GEOMETRY: StoreGeometry = { segmentSectors: 8, logBytesMax: 1500, reserveBytes: 4096 };
const DIRECTORY = '/store';
const WRITING: ReadonlySet<string> = new Set(WRITING_CALLS);
/** The second lies across the edge of two chunk maps. */
const RANGES = [
  { sector: 0, sectorCount: 40 },
  { sector: 2 ** 32 - 4, sectorCount: 8 },
];
const SETTLE_SECTORS = 6;
const ZEROS = Buffer.alloc(SECTOR);

interface Crash {
  readonly where: string;
  readonly kind: 'kill' | 'power cut';
  readonly fileSystem: SimulatedFileSystem;
  readonly possible: OracleSnapshot;
  readonly records: DiskRecords;
}

/** The content of all disks, through their layers. */
function contentOf(disks: LayeredDisks): Map<string, Content> {
  const all = new Map<string, Content>();
  for (const name of disks.names()) {
    const content: Content = new Map();
    for (const { sector, sectorCount } of RANGES) {
      const bytes = disks.read(name, sector * SECTOR, sectorCount * SECTOR);
      for (let index = 0; index < sectorCount; index++) {
        if (ZEROS.equals(bytes.subarray(index * SECTOR, (index + 1) * SECTOR))) continue;
        content.set(sector + index, versionAt(bytes, index * SECTOR, sector + index));
      }
    }
    all.set(name, content);
  }
  return all;
}

class History {
  readonly disks: LayeredDisks;
  readonly oracle: StoreOracle;
  jobsEnded = 0;
  readonly #prng: Prng;
  #version: number;
  #made: number;

  constructor(disks: LayeredDisks, oracle: StoreOracle, prng: Prng, firstNumber: number) {
    this.disks = disks;
    this.oracle = oracle;
    this.#prng = prng;
    this.#version = firstNumber;
    this.#made = firstNumber;
  }

  run(operations: number): void {
    for (let done = 0; done < operations; done++) this.#step();
  }

  create(isPlain: boolean): void {
    const name = `d${++this.#made}`;
    this.oracle.mayCreate(name);
    this.disks.create(name, isPlain);
    this.oracle.created(name);
    // A disk is there when its record is, which is durable: it has no bytes to lose.
    this.disks.store.flush();
    this.oracle.flushed();
  }

  #step(): void {
    const names = this.disks.names();
    const name = names[this.#prng.nextBelow(names.length)]!;
    const chance = this.#prng.nextBelow(24);
    if (chance < 8) this.#write(name);
    else if (chance < 11) this.#zero(name);
    else if (chance < 16) this.#move(name);
    else if (chance < 18) this.#push(name);
    else if (chance === 18) this.#share(name);
    else if (chance < 21) this.#commit();
    else if (chance === 21) this.#flush();
    else if (chance === 22) this.disks.endJob(name);
    else this.disks.store.idle();
  }

  #range(): { sector: number; sectorCount: number } {
    const range = RANGES[this.#prng.nextBelow(4) === 0 ? 1 : 0]!;
    const from = this.#prng.nextBelow(range.sectorCount);
    const sectorCount = 1 + this.#prng.nextBelow(Math.min(9, range.sectorCount - from));
    return { sector: range.sector + from, sectorCount };
  }

  #write(name: string): void {
    const { sector, sectorCount } = this.#range();
    const version = ++this.#version;
    const bytes = new Uint8Array(sectorCount * SECTOR);
    for (let index = 0; index < sectorCount; index++) {
      putSector(bytes, index * SECTOR, sector + index, version);
    }
    this.oracle.mayWrite(name, sector, sectorCount, version);
    this.disks.write(name, sector * SECTOR, bytes);
    this.oracle.wrote(name, sector, sectorCount, version);
  }

  #zero(name: string): void {
    const { sector, sectorCount } = this.#range();
    this.oracle.mayWrite(name, sector, sectorCount, HOLE);
    this.disks.zero(name, sector * SECTOR, sectorCount * SECTOR);
    this.oracle.wrote(name, sector, sectorCount, HOLE);
  }

  #move(name: string): void {
    if (this.disks.layerCount(name) > 1 && this.disks.step(name, 1 + this.#prng.nextBelow(9))) {
      this.jobsEnded++;
    }
  }

  #push(name: string): void {
    if (this.disks.layerCount(name) < 3) this.disks.push(name);
  }

  #share(name: string): void {
    if (this.disks.names().length > 3) return;
    const target = `d${++this.#made}`;
    this.oracle.mayShare(name, target);
    this.disks.share(name, target);
    this.oracle.shared(name, target);
    this.oracle.flushed();
  }

  #commit(): void {
    this.disks.store.commit();
    this.oracle.committed();
  }

  #flush(): void {
    this.disks.store.flush();
    this.oracle.flushed();
  }
}

/** A store may commit by itself at any time: this one does between the discards of one request. */
function commitsByItself(store: ShardStore): void {
  const discard = store.discard.bind(store);
  store.discard = (tree, sector, sectorCount) => {
    discard(tree, sector, sectorCount);
    store.commit();
  };
}

function crashesOf(seed: number, operations: number, callsPerCrash: number, ended: () => void) {
  const chance = createPrng(seed + 1_000_000);
  const disk = new SimulatedFileSystem();
  const fileSystem = new FaultyFileSystem(disk);
  const oracle = new StoreOracle();
  const crashes: Crash[] = [];
  let calls = 0;
  const { store } = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
  if (seed % 2 === 1) commitsByItself(store);
  const disks = new LayeredDisks(store, SETTLE_SECTORS);
  const crashNow = (at: string): Crash[] => {
    const keptPart = [0, 0.2, 0.5, 0.9, 1][chance.nextBelow(5)]!;
    const where = `seed ${seed}, ${at}`;
    const cut = disk.cutPower(chance, keptPart);
    const known = { possible: oracle.snapshot(), records: new Map(disks.records) };
    return [
      { where: `${where}, kill`, kind: 'kill', fileSystem: disk.fork(), ...known },
      { where: `${where}, power cut`, kind: 'power cut', fileSystem: cut, ...known },
    ];
  };
  fileSystem.plan = (call) => {
    if (WRITING.has(call) && ++calls && chance.nextBelow(callsPerCrash) === 0) {
      crashes.push(...crashNow(`call ${calls} (${call})`));
    }
    return '';
  };
  const history = new History(disks, oracle, createPrng(seed), 0);
  history.create(seed % 3 === 0);
  history.create(false);
  history.run(operations);
  crashes.push(...crashNow('the end'));
  store.close();
  for (let job = 0; job < history.jobsEnded; job++) ended();
  return crashes;
}

/** Opens what a crash has left, compares, and goes on with it. */
function expectRecovery({ where, kind, fileSystem, possible, records }: Crash, prng: Prng): void {
  const { store } = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
  const disks = new LayeredDisks(store, SETTLE_SECTORS, new Map(records));
  const content = contentOf(disks);
  (kind === 'kill' ? possible.afterKill : possible.afterPowerCut).expectPossible(content, where);
  expect(store.check().problems, where).toEqual([]);
  const oracle = new StoreOracle();
  oracle.adopt(content);
  const history = new History(disks, oracle, prng, 1000);
  history.run(10);
  expect(contentOf(disks), where).toEqual(oracle.current);
  for (const name of disks.names()) {
    for (let steps = 0; !disks.step(name, 9); steps++) expect(steps, where).toBeLessThan(100);
  }
  expect(contentOf(disks), `${where}, re-encrypted`).toEqual(oracle.current);
  expect(store.treeNames().length, where).toBe(disks.names().length);
  store.close();
}

it('acknowledged bytes are kept and older ones never come back, wherever it ends', () => {
  let crashCount = 0;
  let jobsEnded = 0;
  for (let seed = 1; seed <= 14 * longFactor; seed++) {
    const crashes = crashesOf(seed, 140, 24, () => jobsEnded++);
    for (const [index, crash] of crashes.entries()) {
      expectRecovery(crash, createPrng(seed * 1000 + index));
    }
    crashCount += crashes.length;
  }
  expect(crashCount).toBeGreaterThan(100);
  expect(jobsEnded).toBeGreaterThan(10);
});

it('a kill in the middle of a zero shows what was there or zeros, nothing older', () => {
  const disk = new SimulatedFileSystem();
  const fileSystem = new FaultyFileSystem(disk);
  const { store } = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
  commitsByItself(store);
  const disks = new LayeredDisks(store, SETTLE_SECTORS);
  disks.create('d', false);
  disks.write('d', 0, new Uint8Array(4 * SECTOR).fill(1));
  for (const version of [2, 3]) {
    disks.push('d');
    disks.write('d', SECTOR, new Uint8Array(2 * SECTOR).fill(version));
  }
  store.commit();
  const killed: SimulatedFileSystem[] = [];
  fileSystem.plan = () => {
    killed.push(disk.fork());
    return '';
  };
  disks.zero('d', SECTOR, SECTOR);
  killed.push(disk.fork());
  const seen = new Set<string>();
  for (const each of killed) {
    const { store: again } = openFileStore(DIRECTORY, { fileSystem: each, geometry: GEOMETRY });
    const bytes = new LayeredDisks(again, 1, new Map(disks.records)).read('d', 0, 4 * SECTOR);
    const firsts = [0, 1, 2, 3].map((sector) => bytes[sector * SECTOR]);
    seen.add(firsts.join());
    again.close();
  }
  expect([...seen].sort()).toEqual(['1,0,3,1', '1,3,3,1']);
});

it('re-encryption on a store that has failed is told so, not of what it may misread', () => {
  const disk = new SimulatedFileSystem();
  const fileSystem = new FaultyFileSystem(disk);
  const { store } = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
  const disks = new LayeredDisks(store, SETTLE_SECTORS);
  disks.create('d', false);
  // More than a segment: those that are full are read from their files.
  disks.write('d', 0, new Uint8Array(24 * SECTOR).fill(1));
  store.flush();
  disks.push('d');
  fileSystem.plan = new NthCallPlan(['fdatasync'], 'EIO', 1, true).plan;
  disks.write('d', 30 * SECTOR, new Uint8Array(SECTOR).fill(2));
  expect(() => store.flush()).toThrow(/StoreFailed/);
  // What the system may do with pages it could not write.
  for (const path of disk.paths().filter((each) => each.includes('segment'))) {
    const file = disk.open(path, 'update');
    const lengthBytes = disk.size(file);
    disk.pwrite(file, new Uint8Array(lengthBytes).fill(0xee), 0, lengthBytes, 0);
    disk.close(file);
  }
  expect(() => disks.read('d', 0, SECTOR)).toThrow(/ChecksumMismatch/);
  expect(() => disks.step('d', 4)).toThrow(/StoreFailed/);
});

it('re-encryption on a full store goes on discarding, which makes space', () => {
  const { store } = openFileStore(DIRECTORY, {
    fileSystem: new SimulatedFileSystem(),
    geometry: GEOMETRY,
  });
  const disks = new LayeredDisks(store, SETTLE_SECTORS);
  disks.create('d', false);
  disks.write('d', 0, new Uint8Array(2 * SECTOR).fill(1));
  disks.push('d');
  // All is moved and flushed; what is left is to discard it below.
  expect(disks.step('d', 4)).toBe(false);
  const commit = store.commit.bind(store);
  store.commit = () => {
    store.commit = commit;
    throw new PlaneError('NoSpace', 'planted');
  };
  expect(disks.step('d', 4)).toBe(true);
});
