/**
 * What the file system throws and how far it comes: operating errors are answers of the store, an
 * error that is none of the operating system's is a bug and goes through, and ends the thread.
 */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { createPrng } from '../../../src/base/prng.ts';
import { openFileStore } from '../../../src/segment/file-store.ts';
import type { StoreGeometry } from '../../../src/segment/geometry.ts';
import { SegmentFiles } from '../../../src/segment/segment-files.ts';
import { type SegmentBackend, SegmentSpace } from '../../../src/segment/segment-space.ts';
import { SlotTable } from '../../../src/segment/slot-table.ts';
import { GuardedFileSystem, StoreHealth } from '../../../src/segment/store-health.ts';
import {
  FaultyFileSystem,
  type FileCall,
  NthCallPlan,
  WRITING_CALLS,
} from '../../support/faulty-file-system.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';
import { StoreOracle } from '../../support/store-oracle.ts';
import { StoreScript } from '../../support/store-script.ts';

const GEOMETRY: StoreGeometry = { segmentSectors: 8, logBytesMax: 1200, reserveBytes: 4096 };
const DIRECTORY = '/store';
const READING_CALLS: readonly FileCall[] = ['open', 'pread'];

interface Outcome {
  readonly isHit: boolean;
  /** What came out of the store; null: nothing did. */
  readonly thrown: unknown;
  readonly script: StoreScript | null;
  readonly fileSystem: FaultyFileSystem;
}

/** A history whose n-th call of these fails: with an errno, or as a bug. */
function runWith(calls: readonly FileCall[], errno: string | null, n: number): Outcome {
  const fileSystem = new FaultyFileSystem(new SimulatedFileSystem());
  const first = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY }).store;
  const oracle = new StoreOracle();
  const prng = createPrng(4);
  new StoreScript(first, oracle, prng).run(30);
  first.commit();
  oracle.committed();
  const nth = new NthCallPlan(calls, 'x', n, true);
  fileSystem.plan = (call, path) => {
    if (nth.plan(call, path) === '') return '';
    if (errno === null) throw new Error('a bug');
    return errno;
  };
  let script: StoreScript | null = null;
  try {
    const { store } = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
    script = new StoreScript(store, oracle, prng);
    script.run(120);
    return { isHit: nth.isHit, thrown: null, script, fileSystem };
  } catch (thrown) {
    return { isHit: nth.isHit, thrown, script, fileSystem };
  }
}

describe('of the calls of a store, each in its turn,', () => {
  it('one that reads and has a bug lets it through', () => {
    let n = 1;
    for (; ; n++) {
      const { isHit, thrown } = runWith(READING_CALLS, null, n);
      if (!isHit) break;
      expect(thrown, `call ${n}`).toMatchObject({ message: 'a bug' });
      expect(thrown, `call ${n}`).not.toBeInstanceOf(PlaneError);
    }
    expect(n).toBeGreaterThan(30);
  });

  it('one that reads and fails is an error by name, or nothing a caller sees', () => {
    const codes = new Set<string>();
    for (let n = 1; ; n++) {
      const { isHit, thrown, script, fileSystem } = runWith(READING_CALLS, 'EIO', n);
      if (!isHit) break;
      fileSystem.plan = () => '';
      if (thrown === null) script?.expectAll(`call ${n}`);
      else expect(thrown, `call ${n}`).toMatchObject({ code: 'ReadFailed' });
      codes.add(thrown === null ? 'none' : 'ReadFailed');
    }
    expect([...codes].sort()).toEqual(['ReadFailed', 'none']);
  });

  it('one that writes and has a bug ends all writing, and says how', () => {
    for (let n = 1; n < 40; n += 3) {
      const { script, fileSystem, thrown } = runWith(WRITING_CALLS, null, n);
      if (script === null) {
        expect(thrown).toMatchObject({ code: 'StoreFailed' });
        continue;
      }
      fileSystem.plan = () => '';
      expect(() => script.store.flush()).toThrow(
        /^StoreFailed: .*: Error: a bug; the store takes no more writes$/,
      );
    }
  });
});

describe('the health of a store', () => {
  it('is told of by its first failure, whatever fails later', () => {
    const disk = new FaultyFileSystem(new SimulatedFileSystem());
    const health = new StoreHealth();
    disk.makeDirectory(DIRECTORY);
    const guarded = new GuardedFileSystem(disk, health);
    const file = guarded.open(`${DIRECTORY}/a`, 'create');
    disk.plan = () => 'EIO';
    const write = (): void => guarded.pwrite(file, new Uint8Array(8), 0, 8, 0);
    expect(write).toThrow(/StoreFailed: writing .*a: EIO/);
    disk.plan = () => 'ENOSPC';
    expect(write).toThrow(/StoreFailed: writing .*a: EIO/);
    expect(() => health.requireReady()).toThrow(/writing .*a: EIO/);
    expect(health.isFailed).toBe(true);
  });
});

describe('segments on files', () => {
  function segments() {
    const disk = new FaultyFileSystem(new SimulatedFileSystem());
    return { disk, files: new SegmentFiles(disk, DIRECTORY, GEOMETRY) };
  }
  const failing = (code: string) => (): never => {
    throw Object.assign(new Error('so'), code === '' ? {} : { code });
  };

  it('are moved where nobody knows how much is free, but not past a bug', () => {
    const { disk, files } = segments();
    disk.freeBytes = failing('ENOSYS');
    expect(files.movableSlots()).toBe(Number.POSITIVE_INFINITY);
    disk.freeBytes = failing('');
    expect(() => files.movableSlots()).toThrow('so');
    files.close();
  });

  it('that cannot be read are not copied; a bug goes through', () => {
    const { disk, files } = segments();
    const target = files.begin(0);
    disk.plan = () => 'EIO';
    expect(files.copySlot(7, 0, target, 0)).toBe(false);
    expect(() => files.load(7, 2, 3)).toThrow('ReadFailed: segment 7, slots 2 to 4: EIO');
    disk.plan = () => '';
    expect(files.load(7, 0, 1)).toBe(0);
    disk.open = failing('');
    expect(() => files.copySlot(7, 0, target, 0)).toThrow('so');
    files.close();
  });

  it('that do not begin, for want of memory, are as if nobody had asked', () => {
    const { files } = segments();
    const table = new SlotTable(GEOMETRY.segmentSectors);
    let isShort = true;
    const begin: SegmentBackend['begin'] = (number) => {
      if (isShort) throw new PlaneError('NoSpace', 'no more memory');
      return files.begin(number);
    };
    const backend: SegmentBackend = Object.create(files, { begin: { value: begin } });
    Object.defineProperty(backend, 'segmentsMax', { value: 4 });
    const space = new SegmentSpace(table, backend);
    expect(() => space.openSlots()).toThrow('NoSpace');
    expect({ count: table.segmentCount, open: space.segment }).toEqual({ count: 0, open: null });
    isShort = false;
    expect(space.openSlots()).toBe(GEOMETRY.segmentSectors);
    expect(space.segment?.number).toBe(0);
    files.close();
  });
});
