/**
 * The checker of a chunk map's structure: rules 1, 3 and 4 of chunk-map-nodes.ts, and order.
 *
 * Whether entries agree with the slots they refer to is the store's to check (forEachSector).
 *
 * **Thread:** shard.
 */
import {
  type ChunkMapNodes,
  capacityOf,
  EMPTY_ROOT,
  LEVELS_MAX,
  pairFloorOf,
  SECTOR_LIMIT,
} from './chunk-map-nodes.ts';

/** Enough to see what is wrong; a damaged arena would otherwise yield millions of sentences. */
const PROBLEMS_MAX = 100;

/** A node on the way, and the range its parent says it covers. */
interface Place {
  readonly node: number;
  readonly level: number;
  readonly low: number;
  readonly high: number;
}

/** @returns one sentence for everything that breaks a rule, at most 100 */
export function findProblems(nodes: ChunkMapNodes, root: number): string[] {
  if (root === EMPTY_ROOT) return [];
  const problems: string[] = [];
  const level = nodes.levelOf(root);
  if (level >= LEVELS_MAX) return [`root ${root} is of level ${level}`];
  if (level > 0 && nodes.countOf(root) < 2) problems.push(`root ${root} has less than 2 children`);
  const pending: Place[] = [{ node: root, level, low: 0, high: SECTOR_LIMIT }];
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    checkNode(nodes, place, problems);
    if (problems.length >= PROBLEMS_MAX) break;
    if (place.level > 0) addChildren(nodes, place, pending, problems);
  }
  return problems.slice(0, PROBLEMS_MAX);
}

function checkNode(nodes: ChunkMapNodes, place: Place, problems: string[]): void {
  const { node, level, low, high } = place;
  const count = nodes.countOf(node);
  if (nodes.ownersOf(node) === 0) problems.push(`node ${node} is free but referred to`);
  if (nodes.levelOf(node) !== level) problems.push(`node ${node} is not of level ${level}`);
  if (count === 0) problems.push(`node ${node} is empty`);
  if (count > capacityOf(level)) problems.push(`node ${node} has ${count} entries`);
  // Key 0 of an inner node has no meaning.
  for (let i = level === 0 ? 0 : 1; i < count; i++) {
    const key = nodes.keyAt(node, i);
    if (key < low || key >= high) problems.push(`node ${node}: key ${key} not in its range`);
    const first = level === 0 ? 0 : 1;
    if (i > first && key <= nodes.keyAt(node, i - 1)) {
      problems.push(`node ${node}: key ${key} does not ascend`);
    }
  }
}

function addChildren(
  nodes: ChunkMapNodes,
  place: Place,
  pending: Place[],
  problems: string[],
): void {
  const count = Math.min(nodes.countOf(place.node), capacityOf(place.level));
  const level = place.level - 1;
  let countBefore = capacityOf(level);
  for (let i = 0; i < count; i++) {
    const node = nodes.childAt(place.node, i);
    const low = i > 0 ? nodes.keyAt(place.node, i) : place.low;
    const high = i + 1 < count ? nodes.keyAt(place.node, i + 1) : place.high;
    if (countBefore + nodes.countOf(node) <= pairFloorOf(level)) {
      problems.push(`node ${place.node}: children ${i - 1} and ${i} should be one`);
    }
    countBefore = nodes.countOf(node);
    pending.push({ node, level, low, high });
  }
}
