import { describe, expect, it } from 'vitest';
import type { ShardRequest, VolumeLayer } from '../../../src/record/shard-message.ts';
import { LostTrees } from '../../../src/router/lost-trees.ts';

const layer = (tree: string): VolumeLayer => ({ tree, wrappedKey: null, context: null });
const open = (...trees: string[]): ShardRequest => ({
  op: 'openVolume',
  handle: 1,
  diskId: 'd',
  sizeBytes: 4096,
  layers: trees.map(layer),
});
const share = (source: string, target: string): ShardRequest => ({
  op: 'shareTree',
  source,
  target,
});
const shareAll = (source: string, target: string): ShardRequest => ({
  op: 'shareTrees',
  pairs: [{ source, target }],
});
const push = (tree: string): ShardRequest => ({ op: 'pushLayer', handle: 1, layer: layer(tree) });

function codes(trees: LostTrees, ...requests: ShardRequest[]): (string | undefined)[] {
  return requests.map((request) => trees.check(request)?.code);
}

describe('trees of a store in memory that was lost', () => {
  it('are those some request had named', () => {
    const trees = new LostTrees();
    const before = [open('a', 'b'), push('c'), share('d', 'e'), shareAll('f', 'g')];
    expect(codes(trees, ...before)).toEqual(before.map(() => undefined));
    trees.loseAll();
    for (const tree of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
      const asked = [open('x', tree), share(tree, 'y'), shareAll(tree, 'z')];
      expect(codes(trees, ...asked)).toEqual(asked.map(() => 'DataLost'));
    }
    expect(codes(trees, open('never named'), { op: 'stats' })).toEqual([undefined, undefined]);
    trees.loseAll();
    expect(codes(trees, open('never named'), open('a'))).toEqual(['DataLost', 'DataLost']);
  });

  it('are forgotten when they are removed', () => {
    const trees = new LostTrees();
    codes(trees, open('a'), open('b'), open('c'), { op: 'removeTree', name: 'c' });
    trees.loseAll();
    codes(trees, { op: 'removeTree', name: 'a' });
    expect(codes(trees, open('a'), open('b'), open('c'))).toEqual([
      undefined,
      'DataLost',
      undefined,
    ]);
    codes(trees, { op: 'retainTrees', names: [] });
    expect(codes(trees, open('b'))).toEqual([undefined]);
  });
});
