/** Several trees shared at once: all of them or none. */
import { expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { openMemoryStore } from '../../../src/segment/memory-store.ts';
import type { ShardStore } from '../../../src/segment/shard-store.ts';
import { shareTrees } from '../../../src/shard/share-trees.ts';

function storeWith(...names: string[]): ShardStore {
  const store = openMemoryStore({ memoryLimitBytes: 64 << 20 });
  for (const name of names) store.openTree(name);
  return store;
}

it('a target that is there already takes back those shared before it', () => {
  const store = storeWith('a', 'b', 'there');
  const pairs = [
    { source: 'a', target: 'new' },
    { source: 'b', target: 'there' },
  ];
  expect(() => shareTrees(store, pairs)).toThrow(
    expect.objectContaining({ code: 'InvalidArgument' }),
  );
  expect(store.treeNames().sort()).toEqual(['a', 'b', 'there']);
});

it.each([
  ['a store that failed', new PlaneError('StoreFailed', 'fdatasync: EIO')],
  ['a bug', new TypeError('a bug')],
])('%s takes nothing back: what is there is not known', (_, error) => {
  const store = storeWith('a');
  const failing: ShardStore = Object.assign(Object.create(store) as ShardStore, {
    shareTree: (source: string, target: string) => store.shareTree(source, target),
    removeTree: () => expect.fail('nothing is removed'),
    flush: () => {
      throw error;
    },
  });
  expect(() => shareTrees(failing, [{ source: 'a', target: 'new' }])).toThrow(error);
  expect(store.treeNames().sort()).toEqual(['a', 'new']);
});
