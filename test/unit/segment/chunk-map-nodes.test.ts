/** The arena of the maps' nodes: which chunk a node is taken from. */
import { expect, test } from 'vitest';
import { CHUNK_NODES, ChunkMapNodes } from '../../../src/segment/chunk-map-nodes.ts';

function arena(): ChunkMapNodes {
  return new ChunkMapNodes({ acquire: () => {}, release: () => {} });
}

test('nodes given back are taken again before the arena grows', () => {
  const nodes = arena();
  // Node 0 is no node. The second chunk is full, and the one nodes are taken from.
  const taken = Array.from({ length: 2 * CHUNK_NODES - 1 }, () => nodes.allocate(0));
  const { byteCount } = nodes;
  const back = [taken[3]!, taken[200]!, taken[77]!];
  for (const node of back) nodes.free(node);
  const again = back.map(() => nodes.allocate(0));
  expect(again.sort()).toEqual(back.sort());
  expect(nodes.byteCount).toBe(byteCount);
  expect(nodes.allocate(0)).toBe(2 * CHUNK_NODES);
  expect(nodes.byteCount).toBeGreaterThan(byteCount);
});

test('a chunk that was dropped is passed over, and its number used again', () => {
  const nodes = arena();
  const taken = Array.from({ length: 3 * CHUNK_NODES - 1 }, () => nodes.allocate(0));
  const { byteCount } = nodes;
  const isSecond = (node: number): boolean => Math.floor(node / CHUNK_NODES) === 1;
  const second = taken.filter(isSecond);
  for (const node of second) nodes.free(node);
  expect(nodes.byteCount).toBeLessThan(byteCount);
  nodes.free(taken[3]!);
  expect(nodes.allocate(0)).toBe(taken[3]);
  expect(isSecond(nodes.allocate(0))).toBe(true);
  expect(nodes.byteCount).toBe(byteCount);
});
