/** A store at rest looked at from outside: what is found, and that nothing is touched. */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { createPrng } from '../../../src/base/prng.ts';
import { checkStoreDirectory } from '../../../src/segment/check-directory.ts';
import { ObservedFileSystem } from '../../../src/segment/observed-file-system.ts';
import { ReadOnlyFileSystem } from '../../../src/segment/read-only-file-system.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';
import {
  closedStore,
  DIRECTORY,
  damagedSectors,
  GEOMETRY,
  openStore,
  segmentPaths,
} from './closed-store.ts';

const check = (fileSystem: SimulatedFileSystem | FaultyFileSystem) =>
  checkStoreDirectory(fileSystem, DIRECTORY, GEOMETRY);

function contents(fileSystem: SimulatedFileSystem): Map<string, Uint8Array> {
  const paths = fileSystem.paths();
  return new Map(paths.map((path) => [path, fileSystem.content(path).slice()]));
}

describe('a check of a store at rest', () => {
  it('reads it all, lists its trees, and changes nothing', () => {
    const fileSystem = closedStore();
    fileSystem.plant(`${DIRECTORY}/map-00000099.ckpt.new`, new Uint8Array(5));
    const before = contents(fileSystem);
    const { trees, ...found } = check(fileSystem);
    expect([...trees].sort()).toEqual(['d', 's']);
    expect(found).toEqual({ sectorsChecked: 120, leftOverFiles: 1, problems: [] });
    expect(contents(fileSystem)).toEqual(before);
    expect(fileSystem.openCount).toBe(0);
  });

  it('names the sectors an open store would refuse, wherever a bit is flipped', () => {
    const prng = createPrng(11);
    const closed = closedStore();
    for (let trial = 0; trial < 60; trial++) {
      const fileSystem = closed.fork();
      const paths = segmentPaths(fileSystem);
      const bytes = fileSystem.content(paths[prng.nextBelow(paths.length)]!);
      bytes[prng.nextBelow(bytes.byteLength)]! ^= 1 << prng.nextBelow(8);
      const named = check(fileSystem).problems.map((problem) => {
        const match = /^tree "(.)", sector (\d+):/.exec(problem);
        return `${match?.[1]} ${match?.[2]}`;
      });
      expect(named.sort()).toEqual(damagedSectors(openStore(fileSystem)).sort());
    }
  });

  it('tells of maps that are damaged, files that are gone, and a disk that does not answer', () => {
    const closed = closedStore();
    const maps = closed.paths().filter((path) => path.endsWith('.ckpt'));
    const damaged = closed.fork();
    damaged.content(maps[0]!)[100]! ^= 1;
    expect(check(damaged).problems).toEqual([expect.stringMatching(/^DataDirectoryCorrupt: /)]);
    const gone = closed.fork();
    gone.lose(segmentPaths(gone)[0]!);
    expect(check(gone).problems).not.toEqual([]);
    expect(check(new SimulatedFileSystem()).problems).toEqual(['/store cannot be read: ENOENT']);
    const faulty = new FaultyFileSystem(closed.fork());
    faulty.plan = (call) => (call === 'pread' ? 'EIO' : '');
    expect(check(faulty).problems).toEqual([expect.stringMatching(/^ReadFailed: .*EIO/)]);
  });

  it('lets a bug through', () => {
    const fileSystem = closedStore();
    fileSystem.list = () => {
      throw new Error('a bug');
    };
    expect(() => check(fileSystem)).toThrow('a bug');
  });
});

it('a file system that is only read refuses to be written, and removes nothing', () => {
  const base = closedStore();
  const [path = ''] = segmentPaths(base);
  const fileSystem = new ReadOnlyFileSystem(base);
  expect(() => fileSystem.open(path, 'create')).toThrow(/only read/);
  expect(() => fileSystem.pwrite()).toThrow(/nothing is written/);
  expect(() => fileSystem.rename()).toThrow(/nothing is renamed/);
  fileSystem.unlink(path);
  fileSystem.makeDirectory();
  fileSystem.fdatasync();
  fileSystem.fsyncDirectory();
  expect(fileSystem.unlinked).toEqual([path]);
  expect(base.paths()).toContain(path);
  expect(fileSystem.freeBytes(DIRECTORY)).toBe(base.freeBytes());
});

it('an observed file system does what it is told, and says so each time', () => {
  let calls = 0;
  const base = new SimulatedFileSystem();
  const fileSystem = new ObservedFileSystem(base, () => calls++);
  fileSystem.makeDirectory('/a');
  const file = fileSystem.open('/a/b', 'create');
  fileSystem.pwrite(file, Uint8Array.of(1, 2, 3), 1, 2, 0);
  fileSystem.fdatasync(file);
  fileSystem.fsyncDirectory('/a');
  const read = new Uint8Array(2);
  expect(fileSystem.pread(file, read, 0, 2, 0)).toBe(2);
  expect([...read, fileSystem.size(file)]).toEqual([2, 3, 2]);
  fileSystem.close(file);
  fileSystem.rename('/a/b', '/a/c');
  expect(fileSystem.list('/a')).toEqual(['c']);
  fileSystem.unlink('/a/c');
  expect(fileSystem.freeBytes('/a')).toBe(base.freeBytes());
  expect(calls).toBe(12);
  expect(() => fileSystem.open('/nowhere', 'read')).toThrow();
  expect(calls).toBe(13);
});

it('problems are sentences of the table of codes', () => {
  const fileSystem = closedStore();
  for (const path of fileSystem.paths()) if (path.endsWith('.ckpt')) fileSystem.lose(path);
  const [problem = ''] = check(fileSystem).problems;
  expect(new PlaneError('DataDirectoryCorrupt', '').message.slice(0, 20)).toBe(
    problem.slice(0, 20),
  );
});
