/**
 * What a process makes of a directory when the one before it was told that its files could not be
 * forced to stable storage: the system may count as clean what it has lost, so that readers see it
 * and no fdatasync writes it.
 */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { createPrng } from '../../../src/base/prng.ts';
import { openFileStore } from '../../../src/segment/file-store.ts';
import type { StoreGeometry } from '../../../src/segment/geometry.ts';
import type { ShardStore } from '../../../src/segment/shard-store.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { fillerOf, readVersions, runDry, SECTOR } from '../../support/sector-pattern.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';

const GEOMETRY: StoreGeometry = { segmentSectors: 8, logBytesMax: 4000, reserveBytes: 4096 };
const DIRECTORY = '/store';
const SECTORS = 20;
const OLD = 1;
const NEW = 2;

/** Nothing of a file that an fdatasync refused reaches the disk, though readers see all of it. */
class ForgetfulDisk extends SimulatedFileSystem {
  isRefusing = false;

  override fdatasync(file: number): void {
    if (!this.isRefusing) {
      super.fdatasync(file);
      return;
    }
    this.strandPages(file, createPrng(1), 0);
    throw Object.assign(new Error('EIO'), { code: 'EIO' });
  }

  protected override make(): SimulatedFileSystem {
    return new ForgetfulDisk();
  }
}

function open(fileSystem: SimulatedFileSystem | FaultyFileSystem): ShardStore {
  return openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY }).store;
}

function write(store: ShardStore, version: number): void {
  const tree = store.openTree('d');
  for (let sector = 0; sector < SECTORS; sector++) {
    store.append(tree, sector, 1, fillerOf(version));
  }
}

function versionsOf(store: ShardStore): number[] {
  return readVersions(store, store.openTree('d'), 0, SECTORS);
}

function codeOf(call: () => void): string {
  try {
    call();
  } catch (error) {
    if (error instanceof PlaneError) return error.code;
    throw error;
  }
  return 'none';
}

/** Old versions flushed, new ones committed, and a flush of those refused. */
function refusedDisk(): ForgetfulDisk {
  const disk = new ForgetfulDisk();
  const store = open(disk);
  write(store, OLD);
  store.flush();
  write(store, NEW);
  store.commit();
  disk.isRefusing = true;
  expect(codeOf(() => store.flush())).toBe('StoreFailed');
  disk.isRefusing = false;
  disk.closeAll();
  return disk;
}

const ALL_OLD = new Array<number>(SECTORS).fill(OLD);
const ALL_NEW = new Array<number>(SECTORS).fill(NEW);

describe('after a process whose files were refused to be forced', () => {
  it('a power cut takes what it wrote: the disk of this test forgets', () => {
    const cut = refusedDisk().cutPower(createPrng(2), 1);
    expect(versionsOf(open(cut)).slice(0, 4)).toEqual(ALL_OLD.slice(0, 4));
  });

  it('the next reads what was written, and a power cut does not take it any more', () => {
    const disk = refusedDisk();
    const store = open(disk);
    expect(versionsOf(store)).toEqual(ALL_NEW);
    for (const keptPart of [0, 0.5, 1]) {
      const cut = disk.cutPower(createPrng(3), keptPart);
      const again = open(cut);
      expect(versionsOf(again)).toEqual(ALL_NEW);
      expect(again.check().problems).toEqual([]);
    }
    store.close();
  });

  it('what the next has flushed outlives a power cut, whatever it did before', () => {
    const disk = refusedDisk();
    const store = open(disk);
    store.append(store.openTree('d'), 3, 1, fillerOf(7));
    store.flush();
    runDry(store);
    const again = open(disk.cutPower(createPrng(4), 0));
    expect(versionsOf(again)).toEqual(ALL_NEW.with(3, 7));
  });

  it('a power cut at any call of the next leaves old or new of each sector', () => {
    const disk = refusedDisk();
    const fileSystem = new FaultyFileSystem(disk);
    const prng = createPrng(5);
    let calls = 0;
    fileSystem.plan = (call, path) => {
      const where = `call ${++calls}: ${call} ${path}`;
      for (const keptPart of [0, 0.5, 1]) {
        const cut = disk.cutPower(prng, keptPart);
        const versions = versionsOf(open(cut));
        for (const version of versions) expect([OLD, NEW], where).toContain(version);
        // And what the opening after the cut has shown stays.
        expect(versionsOf(open(cut.cutPower(prng, 0))), where).toEqual(versions);
      }
      expect(versionsOf(open(disk.fork())), `${where}, kill`).toEqual(ALL_NEW);
      return '';
    };
    open(fileSystem);
    expect(calls).toBeGreaterThan(10);
  });

  it('one that is refused as well does not open, and the one after it makes up for both', () => {
    const disk = refusedDisk();
    disk.isRefusing = true;
    expect(codeOf(() => open(disk))).toBe('StoreFailed');
    disk.isRefusing = false;
    expect(versionsOf(open(disk))).toEqual(ALL_NEW);
    expect(versionsOf(open(disk.cutPower(createPrng(6), 0)))).toEqual(ALL_NEW);
  });
});

describe('what recovery believes', () => {
  /** Opens with one slot that turns out different between its two readings. */
  function openForgetting(isLater: boolean): { store: ShardStore | null; code: string } {
    const disk = refusedDisk();
    const fileSystem = new FaultyFileSystem(disk);
    let updates = 0;
    let hasFailed = false;
    fileSystem.plan = (call, path) => {
      if (call === 'update' && path.endsWith('.seg')) updates++;
      // The first attempt finds no space where a write needs some; then the cache lets go.
      if (isLater && !hasFailed && call === 'pwrite' && updates === 1) {
        hasFailed = true;
        return 'ENOSPC';
      }
      const isNow = updates === (isLater ? 2 : 1);
      if (call !== 'pread' || !isNow || !path.endsWith('.seg')) return '';
      disk.content(path).fill(0);
      return '';
    };
    let store: ShardStore | null = null;
    const code = codeOf(() => {
      store = open(fileSystem);
    });
    fileSystem.plan = () => '';
    return { store, code };
  }

  it('and finds to be something else a moment later keeps the store from opening', () => {
    expect(openForgetting(false)).toEqual({ store: null, code: 'ReadFailed' });
  });

  it('and finds so when it is tried again, the store being open, ends all writing', () => {
    const { store, code } = openForgetting(true);
    expect(code).toBe('none');
    expect(codeOf(() => write(store!, 9))).toBe('StoreFailed');
    expect(codeOf(() => store!.flush())).toBe('StoreFailed');
  });

  it('is written when there is space: meanwhile the store is read, and takes no changes', () => {
    const disk = refusedDisk();
    const fileSystem = new FaultyFileSystem(disk);
    // A file system that needs space to write over what is there.
    fileSystem.plan = (call, path) => (call === 'pwrite' && path.endsWith('.seg') ? 'ENOSPC' : '');
    const store = open(fileSystem);
    expect(versionsOf(store)).toEqual(ALL_NEW);
    expect(codeOf(() => write(store, 9))).toBe('NoSpace');
    expect(codeOf(() => store.discard(store.openTree('d'), 0, 1))).toBe('NoSpace');
    fileSystem.plan = () => '';
    expect(store.idle()).toBe(false);
    expect(versionsOf(open(disk.cutPower(createPrng(8), 0)))).toEqual(ALL_NEW);
    write(store, 9);
    store.flush();
    expect(versionsOf(open(disk.cutPower(createPrng(9), 0)))).toEqual(ALL_NEW.map(() => 9));
  });

  it('is left alone where nothing refers to it any more', () => {
    const disk = new ForgetfulDisk();
    const store = open(disk);
    write(store, OLD);
    write(store, NEW);
    store.commit();
    disk.closeAll();
    const fileSystem = new FaultyFileSystem(disk);
    let written = 0;
    const { pwrite } = fileSystem;
    fileSystem.pwrite = (...call) => {
      if (call[3] % SECTOR === 0) written += call[3] / SECTOR;
      pwrite.apply(fileSystem, call);
    };
    expect(versionsOf(open(fileSystem))).toEqual(ALL_NEW);
    expect(written).toBe(SECTORS);
  });
});

describe('slots that recovery looks at', () => {
  function killed(): FaultyFileSystem {
    const disk = new SimulatedFileSystem();
    const store = open(disk);
    write(store, NEW);
    store.commit();
    disk.closeAll();
    return new FaultyFileSystem(disk);
  }

  it('are read one by one where they cannot be read together', () => {
    const fileSystem = killed();
    let isRefused = false;
    fileSystem.plan = (call, path) => {
      // Each second read of a segment fails: the one after it, of one slot, does not.
      isRefused = call === 'pread' && path.endsWith('.seg') && !isRefused;
      return isRefused ? 'EIO' : '';
    };
    // To be forced they are read again, and that fails.
    expect(codeOf(() => open(fileSystem))).toBe('ReadFailed');
    fileSystem.plan = () => '';
    expect(versionsOf(open(fileSystem))).toEqual(ALL_NEW);
  });

  it('are an error where they cannot be read at all, and a bug goes through', () => {
    const fileSystem = killed();
    fileSystem.plan = (call, path) => (call === 'pread' && path.endsWith('.seg') ? 'EIO' : '');
    expect(codeOf(() => open(fileSystem))).toBe('ReadFailed');
    fileSystem.plan = (call, path) => {
      if (call === 'pread' && path.endsWith('.seg')) throw new Error('a bug');
      return '';
    };
    expect(() => open(fileSystem)).toThrow('a bug');
  });
});
