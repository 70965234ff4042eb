/**
 * The trees of a store by name and number, and their chunk maps.
 *
 * 1. A tree has four roots: sector s is key s mod 2^32 of root floor(s / 2^32).
 * 2. Every root a tree holds is owned by it: shared or released, never both used by two trees as
 *    one owner.
 * 3. A number is given once in the life of a store, so a log record cannot mean a later tree.
 *
 * **Thread:** shard.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { TREE_NAME_BYTES_MAX, TREE_SECTORS_MAX } from '../limits.ts';
import { type ChunkMap, type ChunkRun, EMPTY_ROOT } from './chunk-map.ts';
import { ROOT_SECTORS, ROOTS_PER_TREE } from './geometry.ts';
import type { Tree } from './shard-store.ts';

export class TreeState implements Tree {
  readonly name: string;
  readonly number: number;
  readonly roots: number[] = new Array<number>(ROOTS_PER_TREE).fill(EMPTY_ROOT);
  isOpen = true;

  constructor(name: string, number: number) {
    this.name = name;
    this.number = number;
  }
}

export function requireTreeName(name: string): void {
  const byteCount = Buffer.byteLength(name);
  if (byteCount >= 1 && byteCount <= TREE_NAME_BYTES_MAX) return;
  const expected = `1 to ${TREE_NAME_BYTES_MAX} bytes`;
  throw new PlaneError('InvalidArgument', `expected a tree name of ${expected}, got ${byteCount}`);
}

/** Ranges are validated by the caller's caller: a bad one is a bug. */
export function requireSectorRange(sector: number, sectorCount: number): void {
  invariant(Number.isSafeInteger(sector) && sector >= 0, 'a sector index is a whole number >= 0');
  invariant(Number.isSafeInteger(sectorCount) && sectorCount >= 0, 'a sector count is >= 0');
  invariant(sector + sectorCount <= TREE_SECTORS_MAX, 'a range ends inside the tree');
}

/** Sectors from `sector` on, at most sectorCount, that lie under one root. */
export function withinRoot(sector: number, sectorCount: number): number {
  return Math.min(sectorCount, ROOT_SECTORS - (sector % ROOT_SECTORS));
}

export class TreeTable {
  readonly map: ChunkMap;
  nextNumber = 1;
  /** Bytes of all names together. */
  nameBytes = 0;
  readonly #byName = new Map<string, TreeState>();
  readonly #byNumber = new Map<number, TreeState>();

  constructor(map: ChunkMap) {
    this.map = map;
  }

  get count(): number {
    return this.#byName.size;
  }

  all(): IterableIterator<TreeState> {
    return this.#byName.values();
  }

  find(name: string): TreeState | undefined {
    return this.#byName.get(name);
  }

  findNumber(number: number): TreeState | undefined {
    return this.#byNumber.get(number);
  }

  /** Adds an empty tree. */
  create(name: string, number: number = this.nextNumber): TreeState {
    invariant(!this.#byName.has(name), 'a tree name is used once');
    invariant(number >= this.nextNumber, 'a tree number is used once');
    const tree = new TreeState(name, number);
    this.#byName.set(name, tree);
    this.#byNumber.set(number, tree);
    this.nameBytes += Buffer.byteLength(name);
    this.nextNumber = number + 1;
    return tree;
  }

  /** Makes target, an empty tree, one more owner of everything source has. */
  share(source: TreeState, target: TreeState): void {
    for (let index = 0; index < ROOTS_PER_TREE; index++) {
      const root = source.roots[index]!;
      invariant(target.roots[index] === EMPTY_ROOT, 'only a new tree takes the roots of another');
      if (root !== EMPTY_ROOT) this.map.share(root);
      target.roots[index] = root;
    }
  }

  remove(tree: TreeState): void {
    invariant(tree.isOpen, 'a tree is removed once');
    tree.isOpen = false;
    this.#byName.delete(tree.name);
    this.#byNumber.delete(tree.number);
    this.nameBytes -= Buffer.byteLength(tree.name);
    for (let index = 0; index < ROOTS_PER_TREE; index++) {
      const root = tree.roots[index]!;
      tree.roots[index] = EMPTY_ROOT;
      if (root !== EMPTY_ROOT) this.map.release(root);
    }
  }

  /** What the tree has at a sector. @param sectorCountMax within one root and the run's size */
  lookup(tree: TreeState, sector: number, sectorCountMax: number, run: ChunkRun): void {
    const root = tree.roots[Math.floor(sector / ROOT_SECTORS)]!;
    this.map.lookup(root, sector % ROOT_SECTORS, sectorCountMax, run);
  }

  /** Refers sectors within one root to slots from location on. checksums[at] is the first's. */
  assign(
    tree: TreeState,
    sector: number,
    sectorCount: number,
    location: number,
    checksums: Uint32Array,
    at: number,
  ): void {
    const index = Math.floor(sector / ROOT_SECTORS);
    const root = tree.roots[index]!;
    const key = sector % ROOT_SECTORS;
    tree.roots[index] = this.map.assign(root, key, sectorCount, location, checksums, at);
  }

  discard(tree: TreeState, sector: number, sectorCount: number): void {
    for (let at = sector; at < sector + sectorCount; ) {
      const count = withinRoot(at, sector + sectorCount - at);
      const index = Math.floor(at / ROOT_SECTORS);
      const root = tree.roots[index]!;
      if (root !== EMPTY_ROOT) {
        tree.roots[index] = this.map.remove(root, at % ROOT_SECTORS, count);
      }
      at += count;
    }
  }

  countMapped(tree: TreeState, sector: number, sectorCount: number): number {
    let mapped = 0;
    for (let at = sector; at < sector + sectorCount; ) {
      const count = withinRoot(at, sector + sectorCount - at);
      const root = tree.roots[Math.floor(at / ROOT_SECTORS)]!;
      if (root !== EMPTY_ROOT) mapped += this.map.countMapped(root, at % ROOT_SECTORS, count);
      at += count;
    }
    return mapped;
  }
}
