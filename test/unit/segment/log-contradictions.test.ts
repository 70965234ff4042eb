/**
 * Batches that are whole, of the right sequence and checksum, and say what cannot be: recovery
 * refuses each by file, offset and record, and does not guess.
 */
import { describe, expect, it } from 'vitest';
import { batchChecksum, MapLogWriter } from '../../../src/segment/map-log.ts';
import { decodeHead, HEAD_BYTES, logPath, viewOf } from '../../../src/segment/store-file.ts';
import type { SimulatedFileSystem } from '../../support/simulated-file-system.ts';
import { closedStore, codeOf, DIRECTORY, openStore } from './closed-store.ts';

const TREE_SECTORS = 2 ** 34;
/** The store has the trees d (1) and s (2), so 3 is the next number. */
const D = 1;
const NEXT = 3;
const NOBODY = 77;
const checksums = new Uint32Array(8);

function theLog(fileSystem: SimulatedFileSystem): string {
  return fileSystem.paths().find((path) => path.endsWith('.log')) ?? '';
}

/** The closed store, its empty log written anew with one batch. */
function storeWithBatch(write: (log: MapLogWriter) => void): SimulatedFileSystem {
  const fileSystem = closedStore();
  const path = theLog(fileSystem);
  const head = decodeHead(fileSystem.content(path).subarray(0, HEAD_BYTES), 'log', path);
  expect(path).toBe(logPath(DIRECTORY, head.generation));
  const log = new MapLogWriter(fileSystem, DIRECTORY, head);
  write(log);
  log.write();
  log.close();
  return fileSystem;
}

/** As it, with the batch's bytes changed and its checksum made right again. */
function storeWithChange(
  write: (log: MapLogWriter) => void,
  change: (view: DataView) => void,
): SimulatedFileSystem {
  const fileSystem = storeWithBatch(write);
  const path = theLog(fileSystem);
  const bytes = Uint8Array.from(fileSystem.content(path));
  const batch = bytes.subarray(HEAD_BYTES);
  const view = viewOf(batch);
  change(view);
  view.setUint32(28, batchChecksum(batch, 0, batch.byteLength), true);
  fileSystem.plant(path, bytes);
  return fileSystem;
}

function expectRefusal(fileSystem: SimulatedFileSystem, record = 0): void {
  const error = codeOf(() => openStore(fileSystem));
  expect(error.code).toBe('DataDirectoryCorrupt');
  expect(error.message).toContain(theLog(fileSystem));
  expect(error.message).toContain(`record ${record} of its batch makes no sense`);
}

describe('a record that contradicts what came before is refused:', () => {
  it.each<[string, (log: MapLogWriter) => void]>([
    ['an assign-run to no tree', (log) => log.assignRun(NOBODY, 0, 1, 0, checksums)],
    ['an assign-run of no sector', (log) => log.assignRun(D, 0, 0, 0, checksums)],
    ['an assign-run over the end', (log) => log.assignRun(D, TREE_SECTORS - 1, 2, 0, checksums)],
    ['an assign-run under two roots', (log) => log.assignRun(D, 2 ** 32 - 1, 2, 0, checksums)],
    ['a discard-run of no tree', (log) => log.discardRun(NOBODY, 0, 1)],
    ['a discard-run over the end', (log) => log.discardRun(D, TREE_SECTORS - 1, 2)],
    ['a create-tree of an old number', (log) => log.createTree(D, 'x')],
    ['a create-tree of a name that is there', (log) => log.createTree(NEXT, 's')],
    ['a share-tree of no tree', (log) => log.shareTree(NOBODY, NEXT, 'x')],
    ['a share-tree to a name that is there', (log) => log.shareTree(D, NEXT, 's')],
    ['a remove-tree of no tree', (log) => log.removeTree(NOBODY)],
  ])('%s', (_, write) => {
    expectRefusal(storeWithBatch(write));
    // Whatever stands before it: the record that is wrong is named.
    const second = storeWithBatch((log) => {
      log.discardRun(D, 0, 1);
      write(log);
    });
    expectRefusal(second, 1);
  });
});

describe('a record that does not fit its batch is refused:', () => {
  const assign = (log: MapLogWriter): void => log.assignRun(D, 0, 4, 0, checksums);
  it.each<[string, (log: MapLogWriter) => void, (view: DataView) => void, number]>([
    ['of a kind there is not', assign, (view) => view.setUint32(32, 9, true), 0],
    ['of kind 0', assign, (view) => view.setUint32(32, 0, true), 0],
    ['an assign-run of more sectors', assign, (view) => view.setUint32(48, 100, true), 0],
    ['more records than are there', assign, (view) => view.setUint32(24, 2, true), 1],
    ['an assign-run cut off', (log) => log.removeTree(D), (view) => view.setUint32(32, 1, true), 0],
    ['a discard-run cut off', (log) => log.removeTree(D), (view) => view.setUint32(32, 2, true), 0],
    ['a name cut off', (log) => log.removeTree(D), (view) => view.setUint32(32, 3, true), 0],
    ['a shared name cut off', (log) => log.removeTree(D), (view) => view.setUint32(32, 4, true), 0],
    [
      'a longer name',
      (log) => log.createTree(NEXT, 'x'),
      (view) => view.setUint32(40, 99, true),
      0,
    ],
  ])('%s', (_, write, change, record) => {
    expectRefusal(storeWithChange(write, change), record);
  });

  it('and one that fits is taken: the tests above could fail', () => {
    const fileSystem = storeWithChange(
      (log) => log.createTree(NEXT, 'x'),
      (view) => view.setUint8(44, 'y'.charCodeAt(0)),
    );
    expect(openStore(fileSystem).treeNames().sort()).toEqual(['d', 's', 'y']);
  });
});
