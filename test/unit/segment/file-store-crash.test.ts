/**
 * A store is killed, or its machine loses power, at any call of the file system, and opened again.
 *
 * Every history runs once. At random calls the file system is copied as a crash would leave it,
 * with what the oracle says may be there; each copy is opened, compared, checked, used and opened
 * once more.
 */
import { expect, it } from 'vitest';
import { createPrng, type Prng } from '../../../src/base/prng.ts';
import { checkStoreDirectory } from '../../../src/segment/check-directory.ts';
import { openFileStore } from '../../../src/segment/file-store.ts';
import type { StoreGeometry } from '../../../src/segment/geometry.ts';
import { FaultyFileSystem, WRITING_CALLS } from '../../support/faulty-file-system.ts';
import { longFactor } from '../../support/long.ts';
import { fillerOf, runDry } from '../../support/sector-pattern.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';
import { contentOf, type OracleSnapshot, StoreOracle } from '../../support/store-oracle.ts';
import { RANGES, type ScriptRanges, StoreScript, WIDE_RANGES } from '../../support/store-script.ts';

const GEOMETRY: StoreGeometry = { segmentSectors: 8, logBytesMax: 1500, reserveBytes: 4096 };
const DIRECTORY = '/store';
const WRITING: ReadonlySet<string> = new Set(WRITING_CALLS);

interface Crash {
  readonly where: string;
  readonly kind: 'kill' | 'power cut';
  readonly fileSystem: SimulatedFileSystem;
  readonly possible: OracleSnapshot;
  readonly ranges: ScriptRanges;
}

/** Runs a history and collects crashes at about one writing call in `callsPerCrash`. */
function crashesOf(
  seed: number,
  operations: number,
  callsPerCrash: number,
  ranges: ScriptRanges = RANGES,
): Crash[] {
  const prng = createPrng(seed);
  const chance = createPrng(seed + 1_000_000);
  const disk = new SimulatedFileSystem();
  const fileSystem = new FaultyFileSystem(disk);
  const oracle = new StoreOracle();
  const crashes: Crash[] = [];
  let calls = 0;
  fileSystem.plan = (call) => {
    if (!WRITING.has(call)) return '';
    calls++;
    if (chance.nextBelow(callsPerCrash) === 0) crashes.push(...crashNow(`call ${calls} (${call})`));
    return '';
  };
  const crashNow = (at: string): Crash[] => {
    const possible = oracle.snapshot();
    const keptPart = [0, 0.2, 0.5, 0.9, 1][chance.nextBelow(5)]!;
    const where = `seed ${seed}, ${at}`;
    return [
      { where: `${where}, kill`, kind: 'kill', fileSystem: disk.fork(), possible, ranges },
      {
        where: `${where}, power cut, ${keptPart} kept`,
        kind: 'power cut',
        fileSystem: disk.cutPower(chance, keptPart),
        possible,
        ranges,
      },
    ];
  };
  const { store } = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
  const script = new StoreScript(store, oracle, prng, ranges);
  script.run(operations);
  crashes.push(...crashNow('the end'));
  store.close();
  oracle.flushed();
  crashes.push(...crashNow('closed'));
  expect(script.errors).toEqual([]);
  return crashes;
}

/** Opens what a crash has left, and goes on with it. Crashes again in between if asked to. */
function expectRecovery(crash: Crash, prng: Prng): void {
  const { where, fileSystem } = crash;
  // Looked at from outside it is sound too, and stays as it is.
  const offline = checkStoreDirectory(fileSystem, DIRECTORY, GEOMETRY);
  expect(offline.problems, where).toEqual([]);
  const { store } = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
  const content = contentOf(store, crash.ranges);
  const { afterKill, afterPowerCut } = crash.possible;
  (crash.kind === 'kill' ? afterKill : afterPowerCut).expectPossible(content, where);
  const checked = store.check();
  expect(checked.problems, where).toEqual([]);
  expect(checked.sectorsChecked, where).toBe(offline.sectorsChecked);

  const oracle = new StoreOracle();
  oracle.adopt(content);
  const script = new StoreScript(store, oracle, prng, crash.ranges);
  script.run(12);
  script.expectAll(where);
  store.close();
  const again = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
  script.store = again.store;
  script.expectAll(`${where}, closed and opened`);
  expect(again.store.check().problems, where).toEqual([]);
  expect(again.recovery.batchesReplayed, where).toBe(0);
  again.store.close();
  expect(fileSystem.openCount, where).toBe(0);
}

it('nothing committed is lost in a kill, nothing flushed in a power cut, at any call', () => {
  let crashCount = 0;
  for (let seed = 1; seed <= 12 * longFactor; seed++) {
    const crashes = crashesOf(seed, 150, 24);
    for (const [index, crash] of crashes.entries()) {
      expectRecovery(crash, createPrng(seed * 1000 + index));
    }
    crashCount += crashes.length;
  }
  expect(crashCount).toBeGreaterThan(100);
});

it('nothing is lost while a checkpoint is written that takes many operations', () => {
  for (let seed = 201; seed <= 200 + 4 * longFactor; seed++) {
    for (const crash of crashesOf(seed, 300, 30, WIDE_RANGES)) {
      expectRecovery(crash, createPrng(seed));
    }
  }
});

it('recovery may be interrupted at any call, and done again', { timeout: 300_000 }, () => {
  for (let seed = 101; seed <= 100 + 2 * longFactor; seed++) {
    for (const crash of crashesOf(seed, 120, 60)) {
      const chance = createPrng(seed);
      const again: Crash[] = [];
      const fileSystem = new FaultyFileSystem(crash.fileSystem);
      fileSystem.plan = (call) => {
        if (!WRITING.has(call)) return '';
        const where = `${crash.where}, recovery ${call}`;
        // What a second power cut takes was not forced by the first opening either.
        again.push({ ...crash, where, fileSystem: crash.fileSystem.fork() });
        const cut = crash.fileSystem.cutPower(chance, chance.nextFloat());
        again.push({ ...crash, kind: 'power cut', where: `${where}, cut`, fileSystem: cut });
        return '';
      };
      const { store } = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
      for (const each of again) expectRecovery(each, createPrng(1));
      store.close();
    }
  }
});

it('a checkpoint whose name is not durable yet is made so before what it replaces goes', () => {
  const disk = new SimulatedFileSystem();
  const fileSystem = new FaultyFileSystem(disk);
  const { store } = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
  const killed: SimulatedFileSystem[] = [];
  let isRenamed = false;
  fileSystem.plan = (call) => {
    // Killed between the two: the name is there, and a power cut may still take it.
    if (call === 'fsyncDirectory' && isRenamed) killed.push(disk.fork());
    isRenamed = call === 'rename';
    return '';
  };
  const tree = store.openTree('d');
  for (let sector = 0; sector < 90; sector++) {
    for (const version of [1, 2]) store.append(tree, sector, 1, fillerOf(version));
    store.flush();
  }
  runDry(store);
  expect(store.stats().reclaimedSectors).toBeGreaterThan(10);
  expect(killed.length).toBeGreaterThan(0);
  for (const [index, each] of killed.entries()) {
    const cuts: SimulatedFileSystem[] = [];
    const chance = createPrng(index);
    const recovering = new FaultyFileSystem(each);
    const isOfName = new Set(['unlink', 'rename', 'fsyncDirectory']);
    recovering.plan = (call) => {
      if (isOfName.has(call))
        for (let cut = 0; cut < 8; cut++) cuts.push(each.cutPower(chance, 0.5));
      return '';
    };
    openFileStore(DIRECTORY, { fileSystem: recovering, geometry: GEOMETRY }).store.close();
    for (const cut of cuts) {
      const again = openFileStore(DIRECTORY, { fileSystem: cut, geometry: GEOMETRY });
      expect(again.recovery.slotsMissing).toBe(0);
      expect(again.store.check().problems).toEqual([]);
      again.store.close();
    }
  }
});

it('the same seed has the same history', () => {
  const trace = (seed: number) => crashesOf(seed, 100, 10).map((crash) => crash.where);
  expect(trace(5)).toEqual(trace(5));
});
