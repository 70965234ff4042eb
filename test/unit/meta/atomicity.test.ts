import { describe, expect, test } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { type KeyValueStore, scan } from '../../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';
import { type MetadataChange, metadataOver } from '../../../src/meta/metadata.ts';
import { disk, diskId, encryption, keyId, lineageOf, snapshot, snapshotId } from './fixtures.ts';

/** Which write of a transaction throws (0: none), and whether its commit is then lost. */
interface Faults {
  failingWrite: number;
  isCommitLost: boolean;
}

/** A store that fails inside its transactions, or behind them, on demand. */
function faultyStore(store: KeyValueStore, faults: Faults): KeyValueStore {
  return {
    get: (key) => store.get(key),
    range: (query) => store.range(query),
    close: () => store.close(),
    transact: (run) =>
      store.transact((transaction) => {
        let writes = 0;
        const beforeWrite = (): void => {
          if (++writes === faults.failingWrite) throw new Error(`write ${writes} failed`);
        };
        const result = run({
          ...transaction,
          put: (key, value) => {
            beforeWrite();
            transaction.put(key, value);
          },
          remove: (key) => {
            beforeWrite();
            transaction.remove(key);
          },
        });
        if (faults.isCommitLost) throw new PlaneError('StoreFailed', 'the commit is lost');
        return result;
      }),
  };
}

function contentOf(store: KeyValueStore): [string, string][] {
  const content: [string, string][] = [];
  scan(store, '', (key, value) => content.push([key, Buffer.from(value).toString('hex')]));
  return content;
}

const [d1, d2, d3] = [1, 2, 3].map(diskId) as [string, string, string];
const [s1, s2] = [1, 2].map(snapshotId) as [string, string];

/** Creates, replaces, links, buries and prunes, all in one. */
const protection = { encryption: encryption(1, d1) };
const change: MetadataChange = {
  putDisks: [disk(d1, { ...protection, encryption: encryption(2, d1) }), disk(d3, protection)],
  putEdges: [{ childId: d3, parentId: d1 }],
  putSnapshots: [snapshot(s2, d1, protection)],
  removeDisks: [d1, d2],
};

async function setUp(faults: Faults) {
  const store = openMemoryStore();
  const metadata = metadataOver(faultyStore(store, faults));
  await metadata.commit({ putDisks: [disk(d1, protection)] });
  await metadata.commit({ putSnapshots: [snapshot(s1, d1, protection)] });
  await metadata.commit({ putDisks: [disk(d2, { ...protection, sourceSnapshotId: s1 })] });
  await metadata.commit({ removeSnapshots: [s1] });
  const answers = () => [
    metadata.listDisks({}, 0, 10),
    metadata.listDisks({ keyId: keyId(1) }, 0, 10),
    metadata.listSnapshots({}, 0, 10),
    lineageOf(metadata, d1),
    metadata.treeNamesOfShard(0),
    metadata.check(),
  ];
  return { store, metadata, answers };
}

describe('a commit that fails', () => {
  test('at any one of its writes changes nothing, and may be made again', async () => {
    const faults = { failingWrite: 0, isCommitLost: false };
    const { store, metadata, answers } = await setUp(faults);
    const before = { content: contentOf(store), answers: answers() };
    let failures = 0;
    for (;;) {
      faults.failingWrite = failures + 1;
      const failure = await metadata.commit(change).catch((error: Error) => error.message);
      if (failure === undefined) break;
      expect(failure).toBe(`write ${++failures} failed`);
      expect({ content: contentOf(store), answers: answers() }).toEqual(before);
    }
    // 3 records, their 8 new index entries, 2 edges both ways, and all that d1 and d2 leave.
    expect(failures).toBeGreaterThan(20);
    expect(metadata.check()).toEqual([]);
    expect(metadata.listDisks({}, 0, 10).records.map((record) => record.diskId)).toEqual([d3]);
    expect(lineageOf(metadata, d1).map((entry) => entry.id)).toEqual([d1, d3, s2]);
    expect(lineageOf(metadata, s1)).toEqual([]);
  });

  test('behind its writes changes no count: totals and shards are as before', async () => {
    const faults = { failingWrite: 0, isCommitLost: false };
    const { store, metadata, answers } = await setUp(faults);
    const before = { content: contentOf(store), answers: answers() };
    faults.isCommitLost = true;
    await expect(metadata.commit(change)).rejects.toMatchObject({ code: 'StoreFailed' });
    expect({ content: contentOf(store), answers: answers() }).toEqual(before);
    expect([0, 1, 2].map(() => metadata.leastLoadedShard(2))).toEqual([1, 1, 0]);
  });
});
