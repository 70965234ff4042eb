/** Damage to the map on files, its checkpoint and its log: refused, or lost up to a flush. */
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { PlaneError } from '../../../src/base/errors.ts';
import { openFileStore } from '../../../src/segment/file-store.ts';
import type { ShardStore } from '../../../src/segment/shard-store.ts';
import { fillerOf, readVersions, SECTOR } from '../../support/sector-pattern.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';
import {
  closedStore,
  codeOf,
  DIRECTORY,
  damagedSectors,
  GEOMETRY,
  openStore,
  SECTORS,
  segmentPaths,
} from './closed-store.ts';

describe('a checkpoint', () => {
  const closed = closedStore();
  const path = closed.paths().find((each) => each.endsWith('.ckpt'))!;

  it('with any bit flipped is refused, by name', () => {
    const { byteLength } = closed.content(path);
    for (let bit = 0; bit < 8 * byteLength; bit += 5) {
      const fileSystem = closed.fork();
      fileSystem.content(path)[bit >> 3]! ^= 1 << (bit & 7);
      const error = codeOf(() => openStore(fileSystem));
      expect(error.code).toMatch(/^DataDirectory(Corrupt|Foreign|Version)$/);
      expect(error.message).toContain(path);
      if (bit >= 8 * 16) expect(error.message).toMatch(/DataDirectoryCorrupt: .* at byte \d+/);
      expect(fileSystem.paths()).toEqual(closed.paths());
    }
  });

  it('cut off anywhere is refused, by name and offset', () => {
    const { byteLength } = closed.content(path);
    for (let size = 0; size < byteLength; size += 7) {
      const fileSystem = closed.fork();
      fileSystem.cutOff(path, size);
      const error = codeOf(() => openStore(fileSystem));
      expect(error.message).toContain(`DataDirectoryCorrupt: ${path} at byte `);
    }
  });

  it('that ends while it is read is refused, whichever read comes to the end', () => {
    const { byteLength } = closed.content(path);
    const found = new Set<string>();
    for (let call = 1; ; call++) {
      // From this read on the file ends in its middle, though its size was another.
      const fileSystem = closed.fork();
      let calls = 0;
      const pread = fileSystem.pread.bind(fileSystem);
      fileSystem.pread = (file, target, at, length, position) => {
        const left = Math.max(0, Math.floor(byteLength / 2) - position);
        const isShort = ++calls >= call && fileSystem.size(file) === byteLength;
        return pread(file, target, at, isShort ? Math.min(length, left) : length, position);
      };
      let error: PlaneError | null = null;
      try {
        openStore(fileSystem).close();
      } catch (refusal) {
        error = refusal as PlaneError;
      }
      if (error === null) break;
      expect(error.message).toContain(`DataDirectoryCorrupt: ${path} at byte `);
      found.add(error.message.slice(error.message.lastIndexOf(': ') + 2));
    }
    expect([...found].sort()).toEqual([
      'it does not end as a checkpoint ends',
      'it ended while it was read',
    ]);
  });

  it.each<[string, number, number, RegExp]>([
    ['lengths that do not add up', 48, 8, /lengths disagree/],
    ['a tree that is not in its table', 48 - 16, 1, /expected 3 trees, got 2/],
  ])('of %s is refused, though its checksum is right', (_, fromEnd, more, message) => {
    const fileSystem = closed.fork();
    const bytes = fileSystem.content(path).slice();
    const view = new DataView(bytes.buffer);
    const at = bytes.byteLength - fromEnd;
    view.setUint32(at, view.getUint32(at, true) + more, true);
    view.setUint32(bytes.byteLength - 4, crc32(bytes.subarray(0, -4)), true);
    fileSystem.plant(path, bytes);
    const error = codeOf(() => openStore(fileSystem));
    expect(error.code).toBe('DataDirectoryCorrupt');
    expect(error.message).toMatch(message);
  });

  it('that is missing, or without its log, is refused', () => {
    const withoutCheckpoint = closed.fork();
    withoutCheckpoint.lose(path);
    expect(codeOf(() => openStore(withoutCheckpoint)).code).toBe('DataDirectoryCorrupt');
    const withoutLog = closed.fork();
    withoutLog.lose(path.replace('.ckpt', '.log'));
    expect(codeOf(() => openStore(withoutLog)).message).toMatch(
      /Corrupt.*\.log at byte 0: .* missing/,
    );
  });

  it('under the name of another generation is refused', () => {
    const fileSystem = closed.fork();
    fileSystem.plant(`${DIRECTORY}/map-000000aa.ckpt`, fileSystem.content(path).slice());
    expect(codeOf(() => openStore(fileSystem)).message).toMatch(/Corrupt.*another generation/);
  });

  it('that was not finished is removed', () => {
    const fileSystem = closed.fork();
    const temporary = `${DIRECTORY}/map-00000009.ckpt.new`;
    fileSystem.plant(temporary, new Uint8Array(100));
    const opened = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
    expect(opened.recovery.orphansRemoved).toBe(1);
    expect(fileSystem.paths()).not.toContain(temporary);
    expect(damagedSectors(opened.store)).toEqual([]);
  });
});

describe('a map log', () => {
  /** Flushed: 60 sectors of version 1, 5 of version 2. Committed behind it: 5 of version 3. */
  function killedStore(hasTail: boolean): {
    disk: SimulatedFileSystem;
    path: string;
    flushed: number;
  } {
    const disk = new SimulatedFileSystem();
    const store = openStore(disk);
    const tree = store.openTree('d');
    store.append(tree, 0, SECTORS, fillerOf(1));
    store.flush();
    store.append(tree, 10, 5, fillerOf(2));
    store.flush();
    const path = disk.paths().find((each) => each.endsWith('.log'))!;
    const flushed = disk.content(path).byteLength;
    store.append(tree, 12, 5, fillerOf(3));
    if (hasTail) store.commit();
    return { disk: disk.fork(), path, flushed };
  }

  const versions = (store: ShardStore) => readVersions(store, store.openTree('d'), 8, 10);
  const FLUSHED = [1, 1, 2, 2, 2, 2, 2, 1, 1, 1];
  const COMMITTED = [1, 1, 2, 2, 3, 3, 3, 3, 3, 1];

  it('is replayed', () => {
    const { disk } = killedStore(true);
    const opened = openFileStore(DIRECTORY, { fileSystem: disk, geometry: GEOMETRY });
    expect(versions(opened.store)).toEqual(COMMITTED);
    expect(opened.recovery).toMatchObject({ isNew: false, sectorsDropped: 0, logBytesIgnored: 0 });
    expect(opened.recovery.batchesReplayed).toBeGreaterThan(4);
  });

  it('with any bit flipped loses at most what was not flushed, or is refused by offset', () => {
    const { disk, path, flushed } = killedStore(true);
    const { byteLength } = disk.content(path);
    let acceptedCount = 0;
    for (let bit = 0; bit < 8 * byteLength; bit += 3) {
      const fileSystem = disk.fork();
      fileSystem.content(path)[bit >> 3]! ^= 1 << (bit & 7);
      let store: ShardStore;
      try {
        store = openStore(fileSystem);
      } catch (error) {
        const { code, message } = error as PlaneError;
        expect(code).toMatch(/^DataDirectory(Corrupt|Foreign|Version)$/);
        expect(message).toContain(path);
        expect(fileSystem.paths()).toContain(path);
        expect(bit, 'a tail is no damage').toBeLessThan(8 * flushed);
        continue;
      }
      expect(versions(store), `bit ${bit}`).toEqual(FLUSHED);
      store.close();
      if (bit < 8 * flushed) acceptedCount++;
    }
    // Only the note behind the last flush-mark may be lost without harm.
    expect(acceptedCount).toBeLessThanOrEqual(Math.ceil((8 * 32) / 3));
  });

  it('with a bit flipped in what was flushed is refused even if nothing follows', () => {
    const { disk, path, flushed } = killedStore(false);
    const noteBytes = 32;
    for (let at = 48; at < flushed - noteBytes; at++) {
      const fileSystem = disk.fork();
      fileSystem.content(path)[at]! ^= 16;
      expect(codeOf(() => openStore(fileSystem)).message).toMatch(/Corrupt: .*\.log at byte \d+/);
    }
  });

  it('cut off behind what was flushed loses only the rest', () => {
    const { disk, path, flushed } = killedStore(true);
    const { byteLength } = disk.content(path);
    for (let size = flushed; size < byteLength; size++) {
      const fileSystem = disk.fork();
      fileSystem.cutOff(path, size);
      const opened = openFileStore(DIRECTORY, { fileSystem, geometry: GEOMETRY });
      expect(versions(opened.store)).toEqual(FLUSHED);
      expect(opened.recovery.logBytesIgnored).toBe(size - flushed);
    }
  });

  it('behind its last flush-mark is believed only as far as slots hold what it says', () => {
    const { disk } = killedStore(true);
    const path = segmentPaths(disk).at(-1)!;
    // Slots 65, 67 and 69 of the store: sectors 12, 14 and 16 of version 3.
    for (const slot of [65, 67, 69]) disk.content(path)[(slot % 16) * SECTOR + 9]! ^= 1;
    const opened = openFileStore(DIRECTORY, { fileSystem: disk, geometry: GEOMETRY });
    expect(versions(opened.store)).toEqual([1, 1, 2, 2, 2, 3, 2, 3, 1, 1]);
    expect(opened.recovery.sectorsDropped).toBe(3);
    expect(opened.store.check().problems).toEqual([]);
    // What was not believed once is not believed later either.
    opened.store.flush();
    expect(versions(openStore(disk.fork()))).toEqual([1, 1, 2, 2, 2, 3, 2, 3, 1, 1]);
  });

  it('whose records contradict what came before is refused', () => {
    const disk = new SimulatedFileSystem();
    const store = openStore(disk);
    store.flush();
    const path = disk.paths().find((each) => each.endsWith('.log'))!;
    const other = new SimulatedFileSystem();
    const otherStore = openStore(other);
    otherStore.openTree('a');
    otherStore.close();
    const third = openStore(other);
    third.append(third.openTree('a'), 0, 1, fillerOf(1));
    third.commit();
    const otherLog = other.paths().find((each) => each.endsWith('.log'))!;
    const bytes = other.content(otherLog).slice();
    // The batches of a store that has a tree, behind the head of one that has none.
    const head = disk.content(path).slice(0, 48);
    new DataView(head.buffer).setUint32(24, new DataView(bytes.buffer).getUint32(24, true), true);
    bytes.set(head.subarray(0, 24));
    disk.plant(path, bytes);
    const error = codeOf(() => openStore(disk));
    expect(error.code).toBe('DataDirectoryCorrupt');
  });
});
