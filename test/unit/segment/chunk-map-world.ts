/**
 * What the chunk map's tests hold it against: slots that are counted, trees modelled by plain Maps,
 * and a walk over the arena that reads its words by the layout in chunk-map-nodes.ts and shares no
 * code with it.
 */
import { invariant } from '../../../src/base/invariant.ts';
import {
  ChunkMap,
  createChunkRun,
  EMPTY_ROOT,
  type SlotReferences,
} from '../../../src/segment/chunk-map.ts';

/** Checksums of sectors in tests to which they do not matter much: no two are the same. */
export const checksums: Uint32Array = new Uint32Array(8192).map((_, i) =>
  Math.imul(i + 1, 0x9e3779b1),
);

/** A bijection of 32-bit numbers that scatters them: the finalizer of MurmurHash3. */
export function scatter(i: number): number {
  let h = i;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A map whose slots are not looked at, for tests of many sectors. */
export function plainMap(): ChunkMap {
  return new ChunkMap({ acquire: () => {}, release: () => {} });
}

/** Counts references, and throws as soon as one too many is released. */
export class CountedSlots implements SlotReferences {
  readonly counts = new Map<number, number>();
  acquired = 0;
  released = 0;

  acquire(location: number): void {
    this.acquired++;
    this.counts.set(location, (this.counts.get(location) ?? 0) + 1);
  }

  release(location: number): void {
    this.released++;
    const count = this.counts.get(location);
    invariant(count !== undefined, `slot ${location} has a reference to release`);
    if (count > 1) this.counts.set(location, count - 1);
    else this.counts.delete(location);
  }
}

/** One sector of a model: what was written is told apart by its checksum. */
export type ModelTree = Map<number, number>;

export interface Arena {
  /** References each slot has from leaf entries. */
  readonly slots: Map<number, number>;
  /** References each node has from parents and from roots. */
  readonly owners: Map<number, number>;
  readonly leaves: number;
  readonly entries: number;
}

const NODE_WORDS = 195;

function wordsOf(map: ChunkMap, node: number): Uint32Array {
  const start = (node % 256) * NODE_WORDS;
  return map.nodes.chunks[Math.floor(node / 256)]!.subarray(start, start + NODE_WORDS);
}

/** Walks all nodes below some roots, each once, and counts who refers to what. */
export function walkArena(map: ChunkMap, roots: readonly number[]): Arena {
  const slots = new Map<number, number>();
  const owners = new Map<number, number>();
  let leaves = 0;
  let entries = 0;
  const pending: number[] = [];
  const refer = (node: number): void => {
    if (!owners.has(node)) pending.push(node);
    owners.set(node, (owners.get(node) ?? 0) + 1);
  };
  for (const root of roots) if (root !== EMPTY_ROOT) refer(root);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const words = wordsOf(map, node);
    const level = words[1]! >>> 16;
    const count = words[1]! & 0xffff;
    if (level > 0) {
      for (let i = 0; i < count; i++) refer(words[99 + i]!);
      continue;
    }
    leaves++;
    entries += count;
    for (let i = 0; i < count; i++) {
      const location = words[67 + i]!;
      slots.set(location, (slots.get(location) ?? 0) + 1);
    }
  }
  return { slots, owners, leaves, entries };
}

/** Everything that must hold between an arena, its slots and the roots that are owned. */
export function arenaProblems(
  map: ChunkMap,
  slots: CountedSlots,
  roots: readonly number[],
): string[] {
  const problems: string[] = [];
  const arena = walkArena(map, roots);
  for (const [node, count] of arena.owners) {
    const owners = wordsOf(map, node)[0];
    if (owners !== count) problems.push(`node ${node} has ${owners} owners, not ${count}`);
  }
  if (map.nodeCount !== arena.owners.size) {
    problems.push(`${map.nodeCount} nodes are live, ${arena.owners.size} are reachable`);
  }
  for (const [location, count] of arena.slots) {
    const counted = slots.counts.get(location);
    if (counted !== count) problems.push(`slot ${location}: ${counted} references, not ${count}`);
  }
  if (slots.counts.size !== arena.slots.size) {
    problems.push(`${slots.counts.size} slots are held, ${arena.slots.size} are referred to`);
  }
  for (const root of new Set(roots)) problems.push(...map.checkTree(root));
  return problems;
}

/** Content of a tree read by lookups: sector -> [location, checksum]. */
export function readTree(
  map: ChunkMap,
  root: number,
  sector: number,
  sectorCount: number,
  runSectorsMax = 4096,
): Map<number, readonly [number, number]> {
  const content = new Map<number, readonly [number, number]>();
  const run = createChunkRun(runSectorsMax);
  for (let at = sector; at < sector + sectorCount; at += run.sectorCount) {
    map.lookup(root, at, sector + sectorCount - at, run);
    invariant(run.sectorCount > 0, 'a lookup gets on');
    if (run.isHole) continue;
    for (let i = 0; i < run.sectorCount; i++) {
      content.set(at + i, [run.location + i, run.checksums[i]!]);
    }
  }
  return content;
}

/** A map, its slots and its owner: writes sectors with unique checksums to fresh slots. */
export class World {
  readonly slots = new CountedSlots();
  readonly map: ChunkMap = new ChunkMap(this.slots);
  /** What lies in a slot: the checksum of what was written to it or moved there. */
  readonly contentOf = new Map<number, number>();
  nextLocation = 0;
  #nextChecksum = 1;
  readonly #checksums = new Uint32Array(8192);

  /** Maps sectors to new consecutive slots; the model is told. */
  write(root: number, model: ModelTree, sector: number, sectorCount: number): number {
    const at = this.#nextChecksum % 97;
    const location = this.nextLocation;
    for (let i = 0; i < sectorCount; i++) {
      this.#checksums[at + i] = this.#nextChecksum;
      this.contentOf.set(location + i, this.#nextChecksum);
      model.set(sector + i, this.#nextChecksum);
      this.#nextChecksum++;
    }
    // A gap now and then, so that not all runs of sectors are runs of slots.
    this.nextLocation += sectorCount + (sectorCount % 3 === 0 ? 1 : 0);
    return this.map.assign(root, sector, sectorCount, location, this.#checksums, at);
  }

  remove(root: number, model: ModelTree, sector: number, sectorCount: number): number {
    if (sectorCount < model.size) {
      for (let i = 0; i < sectorCount; i++) model.delete(sector + i);
    } else {
      for (const key of model.keys()) {
        if (key >= sector && key < sector + sectorCount) model.delete(key);
      }
    }
    return this.map.remove(root, sector, sectorCount);
  }

  /** How a range of a tree differs from its model, in sentences. */
  differences(root: number, model: ModelTree, sector: number, sectorCount: number): string[] {
    const found: string[] = [];
    const content = readTree(this.map, root, sector, sectorCount);
    let expected = 0;
    for (const [key, checksum] of model) {
      if (key < sector || key >= sector + sectorCount) continue;
      expected++;
      const entry = content.get(key);
      if (entry === undefined) found.push(`sector ${key} is a hole`);
      else if (entry[1] !== checksum) found.push(`sector ${key} has checksum ${entry[1]}`);
      else if (this.contentOf.get(entry[0]) !== checksum) {
        found.push(`sector ${key} is in slot ${entry[0]}, which has something else`);
      }
    }
    if (content.size !== expected) found.push(`${content.size} sectors mapped, not ${expected}`);
    const counted = this.map.countMapped(root, sector, sectorCount);
    if (counted !== expected) found.push(`countMapped is ${counted}, not ${expected}`);
    return found;
  }
}
