/**
 * Every call of the file system fails once, and every call from the n-th on, for all n there are.
 *
 * The loop ends by itself: with the first n a whole history does not reach.
 */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { createPrng } from '../../../src/base/prng.ts';
import { openFileStore } from '../../../src/segment/file-store.ts';
import type { StoreGeometry } from '../../../src/segment/geometry.ts';
import type { ShardStore } from '../../../src/segment/shard-store.ts';
import {
  FaultyFileSystem,
  type FileCall,
  NthCallPlan,
  WRITING_CALLS,
} from '../../support/faulty-file-system.ts';
import { longFactor } from '../../support/long.ts';
import { fillerOf, readVersions, runDry } from '../../support/sector-pattern.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';
import { contentOf, StoreOracle } from '../../support/store-oracle.ts';
import { RANGES, StoreScript } from '../../support/store-script.ts';

const GEOMETRY: StoreGeometry = { segmentSectors: 8, logBytesMax: 1200, reserveBytes: 4096 };
const DIRECTORY = '/store';

interface Faults {
  readonly calls: readonly FileCall[];
  readonly errno: string;
  readonly isOnce: boolean;
}

interface Run {
  readonly disk: SimulatedFileSystem;
  readonly fileSystem: FaultyFileSystem;
  readonly plan: NthCallPlan;
  readonly oracle: StoreOracle;
  /** Null if the store could not be opened. */
  readonly script: StoreScript | null;
}

/** A history with faults. The first part runs without, so that all kinds of files are there. */
function runWithFaults(seed: number, faults: Faults, n: number): Run {
  const disk = new SimulatedFileSystem();
  const fileSystem = new FaultyFileSystem(disk);
  const plan = new NthCallPlan(faults.calls, faults.errno, n, faults.isOnce);
  const oracle = new StoreOracle();
  const first = openFileStore(DIRECTORY, { fileSystem: disk, geometry: GEOMETRY }).store;
  const prng = createPrng(seed);
  new StoreScript(first, oracle, prng).run(30);
  first.commit();
  oracle.committed();
  // Not closed: the second opening has a log to replay.
  fileSystem.plan = plan.plan;
  let script: StoreScript | null = null;
  try {
    const { store } = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
    script = new StoreScript(store, oracle, prng);
    script.run(50);
  } catch (error) {
    const isExpected =
      error instanceof PlaneError && /NoSpace|StoreFailed|ReadFailed/.test(error.code);
    if (!isExpected || script !== null) throw error;
  }
  return { disk, fileSystem, plan, oracle, script };
}

/** Fails unless what was acknowledged is there after a kill and after power cuts. */
function expectAcknowledged(run: Run, where: string): void {
  const possible = run.oracle.snapshot();
  const afterKill = openFileStore(DIRECTORY, { fileSystem: run.disk.fork(), geometry: GEOMETRY });
  possible.afterKill.expectPossible(contentOf(afterKill.store, RANGES), `${where}, kill`);
  expect(afterKill.store.check().problems, where).toEqual([]);
  for (const keptPart of [0, 0.5]) {
    const fileSystem = run.disk.cutPower(createPrng(1), keptPart);
    const { store } = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
    possible.afterPowerCut.expectPossible(contentOf(store, RANGES), `${where}, power cut`);
    expect(store.check().problems, where).toEqual([]);
  }
}

function expectCode(call: () => void, code: string, where: string): void {
  try {
    call();
  } catch (error) {
    expect((error as PlaneError).code, where).toBe(code);
    return;
  }
  expect.fail(`${where}: expected ${code}, nothing was thrown`);
}

function appendOne(store: ShardStore): void {
  store.append(store.openTree('d-1'), 0, 1, fillerOf(1_000_000));
}

/** Runs a history for n = 1, 2, ... until one has no fault. */
function forEveryN(
  faults: Faults,
  seed: number,
  verify: (run: Run, where: string) => void,
): number {
  for (let n = 1; ; n++) {
    const run = runWithFaults(seed, faults, n);
    const where = `seed ${seed}, n ${n}, ${faults.errno} of ${faults.calls.join(' or ')}`;
    if (!run.plan.isHit) return n - 1;
    run.script?.expectAll(where);
    expectAcknowledged(run, where);
    verify(run, where);
  }
}

function expectHealed(run: Run, where: string): void {
  run.fileSystem.plan = () => '';
  const { script, oracle, disk } = run;
  if (script === null) return;
  script.store.commit();
  oracle.committed();
  appendOne(script.store);
  oracle.created('d-1');
  oracle.wrote('d-1', 0, 1, 1_000_000);
  runDry(script.store);
  script.expectAll(`${where}, healed`);
  expect(script.store.check().problems, where).toEqual([]);
  script.store.close();
  script.store = openFileStore(DIRECTORY, { fileSystem: disk, geometry: GEOMETRY }).store;
  script.expectAll(`${where}, healed and opened`);
}

/** History 4 removes segments whose unlink fails; the first always run. */
const SEEDS = [2, 4, ...Array.from({ length: longFactor - 1 }, (_, index) => 5 + index)];

describe.each(SEEDS)('out of space, history %d:', (seed) => {
  const calls: FileCall[] = ['create', 'pwrite', 'rename'];
  it.each(['ENOSPC', 'EDQUOT', 'EFBIG'])('one call fails with %s: nothing is lost', (errno) => {
    const count = forEveryN({ calls, errno, isOnce: true }, seed, expectHealed);
    expect(count).toBeGreaterThan(20);
  });

  it('from some call on: appends are refused, reads go on, and it heals', () => {
    const faults = { calls, errno: 'ENOSPC', isOnce: false };
    forEveryN(faults, seed, (run, where) => {
      if (run.script !== null) {
        const { store } = run.script;
        const isPending = () => {
          try {
            appendOne(store);
            store.commit();
            return false;
          } catch (error) {
            expect((error as PlaneError).code, where).toBe('NoSpace');
            return true;
          }
        };
        run.oracle.mayCreate('d-1');
        run.oracle.mayWrite('d-1', 0, 1, 1_000_000);
        expect(isPending(), where).toBe(true);
        expectCode(() => appendOne(store), 'NoSpace', where);
        expect(store.idle(), where).toBe(false);
        const tree = store.treeNames().includes('d-1') ? store.openTree('d-1') : null;
        if (tree !== null) readVersions(store, tree, 0, 96);
      }
      run.oracle.created('d-1');
      run.oracle.wrote('d-1', 0, 1, 1_000_000);
      expectHealed(run, where);
    });
  });
});

/** A store with something no flush has forced, on a disk that refuses the next fdatasync. */
function beforeFailedSync(onFailed: () => void) {
  const disk = new SimulatedFileSystem();
  const fileSystem = new FaultyFileSystem(disk);
  const options = { fileSystem, geometry: GEOMETRY, onFailed };
  const { store } = openFileStore(DIRECTORY, options);
  appendOne(store);
  store.commit();
  fileSystem.plan = new NthCallPlan(['fdatasync'], 'EIO', 1, true).plan;
  return { store, reopen: () => openFileStore(DIRECTORY, options) };
}

describe('a store that fails for good says so at once, and once', () => {
  it('when it serves', () => {
    let times = 0;
    const { store } = beforeFailedSync(() => times++);
    expectCode(() => store.flush(), 'StoreFailed', 'the first');
    expectCode(() => store.flush(), 'StoreFailed', 'the second');
    expect(times).toBe(1);
  });

  it('when it is being opened', () => {
    let times = 0;
    const { reopen } = beforeFailedSync(() => times++);
    expectCode(reopen, 'StoreFailed', 'opening');
    expect(times).toBe(1);
  });

  it('and not when it is only full', () => {
    let times = 0;
    const fileSystem = new FaultyFileSystem(new SimulatedFileSystem());
    const options = { fileSystem, geometry: GEOMETRY, onFailed: () => times++ };
    const { store } = openFileStore(DIRECTORY, options);
    appendOne(store);
    fileSystem.plan = new NthCallPlan(['create', 'pwrite'], 'ENOSPC', 1, false).plan;
    expectCode(() => store.commit(), 'NoSpace', 'full');
    expect(times).toBe(0);
  });
});

describe.each(SEEDS)('failure, history %d:', (seed) => {
  const expectFailed = (run: Run, where: string): void => {
    run.fileSystem.plan = () => '';
    if (run.script === null) return;
    const { store } = run.script;
    for (let attempt = 0; attempt < 2; attempt++) {
      expectCode(() => store.flush(), 'StoreFailed', where);
      expectCode(() => store.commit(), 'StoreFailed', where);
      expectCode(() => appendOne(store), 'StoreFailed', where);
      expectCode(() => store.openTree('never made'), 'StoreFailed', where);
      expect(store.idle(), where).toBe(false);
    }
    run.script.expectAll(`${where}, failed`);
    expectCode(() => store.close(), 'StoreFailed', where);
  };

  it.each([
    ['EIO', ['fdatasync', 'fsyncDirectory']],
    ['ENOSPC', ['fdatasync', 'fsyncDirectory']],
    ['EIO', WRITING_CALLS],
  ] as const)('%s of one of %s is for good', (errno, calls) => {
    const count = forEveryN({ calls, errno, isOnce: true }, seed, expectFailed);
    expect(count).toBeGreaterThan(3);
  });
});
