/** A checkpoint while it is written. */
import { expect, test } from 'vitest';
import { CheckpointWriter, checkpointBytesMax } from '../../../src/segment/checkpoint.ts';
import { ChunkMap } from '../../../src/segment/chunk-map.ts';
import { openFileStore } from '../../../src/segment/file-store.ts';
import { TreeTable } from '../../../src/segment/tree-table.ts';
import { fillerOf } from '../../support/sector-pattern.ts';
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts';

const MIB = 2 ** 20;
const DIRECTORY = '/store';

/** Long enough to make a log of 1 KiB for each tree. */
const nameOf = (index: number): string => `${index}-`.padEnd(1024, '.');

test('a check finds nothing wrong while one is written that has what no tree has any more', () => {
  const fileSystem = new SimulatedFileSystem();
  const geometry = { segmentSectors: 64, logBytesMax: 4096, reserveBytes: 4096 };
  const { store } = openFileStore(DIRECTORY, { fileSystem, geometry });
  store.append(store.openTree('d'), 0, 200, fillerOf(1));
  for (let index = 0; index < 200; index++) store.openTree(nameOf(index));
  store.commit();
  const isWriting = (): boolean => fileSystem.paths().some((path) => path.endsWith('.new'));
  for (let steps = 0; !isWriting() && steps < 100; steps++) store.idle();
  store.removeTree('d');
  expect(isWriting()).toBe(true);
  expect(store.check()).toEqual({ treesChecked: 200, sectorsChecked: 200, problems: [] });
  while (store.idle());
  expect(isWriting()).toBe(false);
  expect(store.check()).toEqual({ treesChecked: 200, sectorsChecked: 0, problems: [] });
  store.close();
});

test('a long one is forced as it is written, so that its end does not take long', () => {
  const fileSystem = new SimulatedFileSystem();
  fileSystem.makeDirectory(DIRECTORY);
  const events: string[] = [];
  const { pwrite, fdatasync } = fileSystem;
  let unforced = 0;
  let unforcedMax = 0;
  Object.assign(fileSystem, {
    pwrite: (...call: Parameters<typeof pwrite>) => {
      unforced += call[3];
      unforcedMax = Math.max(unforcedMax, unforced);
      pwrite.apply(fileSystem, call);
    },
    fdatasync: (file: number) => {
      events.push(`forced ${Math.floor(unforced / MIB)} MiB`);
      unforced = 0;
      fdatasync.call(fileSystem, file);
    },
  });
  const trees = new TreeTable(new ChunkMap({ acquire: () => {}, release: () => {} }));
  for (let index = 0; index < 17 * 1024; index++) trees.create(nameOf(index));
  expect(checkpointBytesMax(trees)).toBeGreaterThan(17 * MIB);
  const head = { generation: 1, segmentSectors: 16, firstSequence: 1 };
  const writer = new CheckpointWriter(fileSystem, DIRECTORY, head, trees);
  while (writer.step(1000));
  expect(events).toEqual(['forced 8 MiB', 'forced 8 MiB', 'forced 1 MiB']);
  expect(unforcedMax).toBeLessThan(9 * MIB);
  writer.publish();
});
