/**
 * Ways down a chunk map that change nothing and need no stack.
 *
 * A walk over many leaves goes down once per leaf: a leaf ends where the next one begins (leafEnd
 * of LeafSeek), and that sector leads to the next one. So nothing is remembered between leaves, and
 * a walk may be left, resumed or nested at will.
 *
 * **Thread:** shard.
 */
import { invariant } from '../base/invariant.ts';
import {
  CHILDREN_WORD,
  CHUNK_MASK,
  CHUNK_SHIFT,
  type ChunkMapNodes,
  COUNT_MASK,
  KEYS_WORD,
  LEVEL_SHIFT,
  NODE_WORDS,
  SECTOR_LIMIT,
  SHAPE_WORD,
} from './chunk-map-nodes.ts';

// A constant of the module itself is compiled into the code; one of another module is loaded at
// every use, which costs a third of a lookup.
const KEYS = KEYS_WORD;
const SHAPE = SHAPE_WORD;
const CHILDREN = CHILDREN_WORD;
const MASK = CHUNK_MASK;
const SHIFT = CHUNK_SHIFT;
const COUNT = COUNT_MASK;
const WORDS = NODE_WORDS;
const LEVEL = LEVEL_SHIFT;

/** Where a leaf ends. Made once and filled by every seekLeaf(). */
export interface LeafSeek {
  /** First sector behind the leaf: SECTOR_LIMIT for the last leaf, else where the next begins. */
  leafEnd: number;
}

/** Index of the child of an inner node that a sector is below. */
export function childIndexFor(words: Uint32Array, base: number, sector: number): number {
  const keys = base + KEYS;
  let low = keys + 1;
  let high = keys + (words[base + SHAPE]! & COUNT);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (words[middle]! <= sector) low = middle + 1;
    else high = middle;
  }
  return low - 1 - keys;
}

/** Index of the first entry of a leaf whose sector is >= sector: the count if there is none. */
export function entryIndexFor(words: Uint32Array, base: number, sector: number): number {
  const keys = base + KEYS;
  const count = words[base + SHAPE]! & COUNT;
  // Disks are mostly written in long runs: then the sector stands where its distance says.
  const guess = sector - words[keys]!;
  if (guess >= 0 && guess < count && words[keys + guess] === sector) return guess;
  let low = keys;
  let high = keys + count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (words[middle]! < sector) low = middle + 1;
    else high = middle;
  }
  return low - keys;
}

/** The leaf a sector is in, or would be in. */
export function findLeaf(nodes: ChunkMapNodes, root: number, sector: number): number {
  invariant(nodes.ownersOf(root) > 0, 'a tree that is read has an owner');
  let node = root;
  for (;;) {
    const words = nodes.chunks[node >>> SHIFT]!;
    const base = (node & MASK) * WORDS;
    if (words[base + SHAPE]! >>> LEVEL === 0) return node;
    node = words[base + CHILDREN + childIndexFor(words, base, sector)]!;
  }
}

/** findLeaf(), and where that leaf ends. */
export function seekLeaf(
  nodes: ChunkMapNodes,
  root: number,
  sector: number,
  seek: LeafSeek,
): number {
  invariant(nodes.ownersOf(root) > 0, 'a tree that is read has an owner');
  let node = root;
  let end = SECTOR_LIMIT;
  for (;;) {
    const words = nodes.chunks[node >>> SHIFT]!;
    const base = (node & MASK) * WORDS;
    const shape = words[base + SHAPE]!;
    if (shape >>> LEVEL === 0) {
      seek.leafEnd = end;
      return node;
    }
    const index = childIndexFor(words, base, sector);
    if (index + 1 < (shape & COUNT)) end = words[base + KEYS + index + 1]!;
    node = words[base + CHILDREN + index]!;
  }
}

/** The first mapped sector >= sector, SECTOR_LIMIT if there is none. At most two ways down. */
export function firstMappedFrom(
  nodes: ChunkMapNodes,
  root: number,
  sector: number,
  seek: LeafSeek,
): number {
  const leaf = seekLeaf(nodes, root, sector, seek);
  const words = nodes.chunks[leaf >>> SHIFT]!;
  const base = (leaf & MASK) * WORDS;
  const index = entryIndexFor(words, base, sector);
  if (index < (words[base + SHAPE]! & COUNT)) return words[base + KEYS + index]!;
  // No leaf is empty, so the next one has the answer.
  if (seek.leafEnd === SECTOR_LIMIT) return SECTOR_LIMIT;
  return nodes.keyAt(findLeaf(nodes, root, seek.leafEnd), 0);
}

/** The smallest mapped sector below a node. */
export function smallestSector(nodes: ChunkMapNodes, root: number): number {
  let node = root;
  while (nodes.levelOf(node) > 0) node = nodes.childAt(node, 0);
  return nodes.keyAt(node, 0);
}

/** The largest mapped sector below a node. */
export function largestSector(nodes: ChunkMapNodes, root: number): number {
  let node = root;
  while (nodes.levelOf(node) > 0) node = nodes.childAt(node, nodes.countOf(node) - 1);
  return nodes.keyAt(node, nodes.countOf(node) - 1);
}
