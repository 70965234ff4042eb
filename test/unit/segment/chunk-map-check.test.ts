/**
 * The checker finds what it is there to find: every kind of damage, planted in the arena's words.
 */
import { describe, expect, test } from 'vitest';
import { ChunkMap, EMPTY_ROOT } from '../../../src/segment/chunk-map.ts';

const NODE_WORDS = 195;
const checksums = new Uint32Array(4096);

/** Three levels, nodes full. */
function grownMap(): { map: ChunkMap; root: number } {
  const map = new ChunkMap({ acquire: () => {}, release: () => {} });
  let root = EMPTY_ROOT;
  for (let at = 0; at < 20_480; at += 4096) root = map.assign(root, at, 4096, at, checksums, 0);
  return { map, root };
}

function setWord(map: ChunkMap, node: number, word: number, value: number): void {
  map.nodes.chunks[node >>> 8]![(node & 255) * NODE_WORDS + word] = value;
}

describe('the checker', () => {
  test('finds nothing wrong with whole trees', () => {
    const { map, root } = grownMap();
    expect(map.checkTree(root)).toEqual([]);
    expect(map.checkTree(EMPTY_ROOT)).toEqual([]);
  });

  const { map: sample, root: sampleRoot } = grownMap();
  const inner = sample.nodes.childAt(sampleRoot, 1);
  const leaf = sample.nodes.childAt(inner, 3);
  const leafKey = sample.nodes.keyAt(leaf, 0);
  const damages: [string, number, number, number, RegExp][] = [
    ['a root of a level there is not', sampleRoot, 1, (9 << 16) | 2, /is of level 9/],
    ['a root with one child', sampleRoot, 1, (2 << 16) | 1, /has less than 2 children/],
    ['a free node', leaf, 0, 0, /is free but referred to/],
    ['a leaf in the place of an inner node', inner, 1, 64, /is not of level 1/],
    ['an empty leaf', leaf, 1, 0, /is empty/],
    ['an inner node with one entry too many', inner, 1, (1 << 16) | 97, /has 97 entries/],
    ['a sector before its leaf', leaf, 3, leafKey - 1, /not in its range/],
    ['a sector behind its leaf', leaf, 3 + 63, leafKey + 64, /not in its range/],
    ['sectors that do not ascend', leaf, 3 + 5, leafKey + 4, /does not ascend/],
    ['keys that do not ascend', inner, 3 + 2, sample.nodes.keyAt(inner, 1), /does not ascend/],
  ];
  test.each(damages)('finds %s', (_name, node, word, value, problem) => {
    const { map, root } = grownMap();
    setWord(map, node, word, value);
    expect(map.checkTree(root).join('\n')).toMatch(problem);
  });

  test('finds neighbours that should be one node', () => {
    const { map, root } = grownMap();
    for (const index of [3, 4]) setWord(map, map.nodes.childAt(inner, index), 1, 16);
    expect(map.checkTree(root)).toEqual([`node ${inner}: children 3 and 4 should be one`]);
  });

  test('stops at a hundred sentences', () => {
    const { map, root } = grownMap();
    for (let i = 0; i < map.nodes.countOf(inner); i++) {
      const node = map.nodes.childAt(inner, i);
      for (let entry = 0; entry < 64; entry++) setWord(map, node, 3 + entry, 0);
    }
    expect(map.checkTree(root)).toHaveLength(100);
  });
});
