/** What a store makes of the directory it finds: new, its own, somebody else's, damaged. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openFileStore } from '../../../src/segment/file-store.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { fillerOf, HOLE, readVersions, SECTOR } from '../../support/sector-pattern.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';
import { tempDir } from '../../support/temp-dir.ts';
import {
  closedStore,
  codeOf,
  DIRECTORY,
  damagedSectors,
  GEOMETRY,
  openStore,
} from './closed-store.ts';

describe('a directory', () => {
  it('is one of the operating system, unless another file system is given', () => {
    using directory = tempDir();
    const open = () => openFileStore(join(directory.path, 'shard'));
    const { store } = open();
    store.append(store.openTree('d'), 5, 2, fillerOf(7));
    store.close();
    const again = open().store;
    expect(readVersions(again, again.openTree('d'), 4, 4)).toEqual([HOLE, 7, 7, HOLE]);
    expect(readdirSync(join(directory.path, 'shard'))).toContain('segments');
    again.close();
  });

  it('of something else is refused', () => {
    const fileSystem = new SimulatedFileSystem();
    fileSystem.makeDirectory(DIRECTORY);
    fileSystem.plant(`${DIRECTORY}/notes.txt`, new Uint8Array(5));
    const error = codeOf(() => openStore(fileSystem));
    expect(error.code).toBe('DataDirectoryForeign');
    expect(error.message).toContain('notes.txt');
    expect(fileSystem.paths()).toEqual([`${DIRECTORY}/notes.txt`]);
  });

  it('with a checkpoint that is not ours is refused', () => {
    const fileSystem = closedStore();
    const path = fileSystem.paths().find((each) => each.endsWith('.ckpt'))!;
    fileSystem.content(path).fill(0x20, 0, 200);
    expect(codeOf(() => openStore(fileSystem)).message).toContain(`DataDirectoryForeign: ${path}`);
  });

  it('with segments but no checkpoint is refused', () => {
    const fileSystem = new SimulatedFileSystem();
    fileSystem.makeDirectory(`${DIRECTORY}/segments`);
    fileSystem.plant(`${DIRECTORY}/segments/00000000.seg`, new Uint8Array(SECTOR));
    expect(codeOf(() => openStore(fileSystem)).code).toBe('DataDirectoryCorrupt');
  });

  it('of a newer version is refused', () => {
    const fileSystem = closedStore();
    const path = fileSystem.paths().find((each) => each.endsWith('.ckpt'))!;
    const bytes = fileSystem.content(path);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setUint32(8, 2, true);
    view.setUint32(12, crc32(bytes.subarray(0, 12)), true);
    const error = codeOf(() => openStore(fileSystem));
    expect(error.message).toBe(`DataDirectoryVersion: ${path}: expected format version 1, got 2`);
  });

  it('with segments of another size is refused', () => {
    const fileSystem = closedStore();
    const geometry = { ...GEOMETRY, segmentSectors: 32 };
    const error = codeOf(() => openFileStore(DIRECTORY, { fileSystem, geometry }));
    expect(error.code).toBe('DataDirectoryVersion');
    expect(error.message).toContain('expected segments of 32 sectors, got 16');
  });

  it('that cannot be read is an error of its own', () => {
    for (const call of ['pread', 'open'] as const) {
      const fileSystem = new FaultyFileSystem(closedStore());
      fileSystem.plan = (each) => (each === call ? 'EIO' : '');
      const error = codeOf(() => openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY }));
      expect(error.code).toBe('ReadFailed');
      expect(error.message).toContain('EIO');
    }
  });

  it('loses files nothing refers to, and none that are not ours', () => {
    const fileSystem = closedStore();
    fileSystem.plant(`${DIRECTORY}/segments/00000abc.seg`, new Uint8Array(SECTOR));
    fileSystem.plant(`${DIRECTORY}/segments/readme`, new Uint8Array(3));
    fileSystem.plant(`${DIRECTORY}/LOCK`, new Uint8Array(0));
    const opened = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
    expect(opened.recovery.orphansRemoved).toBe(1);
    const paths = fileSystem.paths();
    expect(paths).not.toContain(`${DIRECTORY}/segments/00000abc.seg`);
    expect(paths).toContain(`${DIRECTORY}/segments/readme`);
    expect(paths).toContain(`${DIRECTORY}/LOCK`);
    expect(damagedSectors(opened.store)).toEqual([]);
  });

  it('that is new says so, and holds nothing', () => {
    const fileSystem = new SimulatedFileSystem();
    const opened = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
    expect(opened.recovery).toEqual({
      isNew: true,
      checkpointGeneration: 0,
      batchesReplayed: 0,
      logBytesIgnored: 0,
      sectorsDropped: 0,
      slotsMissing: 0,
      orphansRemoved: 0,
    });
    expect(opened.store.treeNames()).toEqual([]);
    const tree = opened.store.openTree('d');
    expect(readVersions(opened.store, tree, 0, 2)).toEqual([HOLE, HOLE]);
  });
});
