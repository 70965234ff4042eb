/**
 * Every stored sector read and compared with its checksum, by small steps: a pass over the trees
 * there were when it began, in the order of their names.
 *
 * 1. A sector is damaged if a caller's read of it would fail; it is found by the same read. Nothing
 *    is decrypted, nothing is changed.
 * 2. A tree that is removed meanwhile is left out. What trees share is read for each of them: a
 *    damaged sector is told of for every disk and snapshot that has it.
 *
 * **Thread:** shard.
 */
import { PlaneError } from '../base/errors.ts';
import { SCRUB_RANGES_MAX, TREE_SECTORS_MAX } from '../limits.ts';
import type { ScrubDamage, ScrubStep } from '../record/shard-message.ts';
import type { Extent, SectorVisitor, ShardStore, Tree } from '../segment/shard-store.ts';

/** The store has compared what it gives. */
const NOBODY: SectorVisitor = { hole: () => undefined, run: () => undefined };

export class Scrub {
  readonly pass: number;
  private readonly store: ShardStore;
  private readonly names: readonly string[];
  private at = 0;
  private sector = 0;

  /** @param pass which it is, for who goes on with it */
  constructor(pass: number, store: ShardStore) {
    this.pass = pass;
    this.store = store;
    this.names = store.treeNames().sort();
  }

  /** @param sectorsMax sectors it reads at most */
  step(sectorsMax: number): ScrubStep {
    const present = new Set(this.store.treeNames());
    const damage: ScrubDamage[] = [];
    let read = 0;
    for (let ranges = 0; ranges < SCRUB_RANGES_MAX && read < sectorsMax; ranges++) {
      const name = this.names[this.at];
      if (name === undefined) break;
      if (!present.has(name) || this.sector >= TREE_SECTORS_MAX) {
        this.at++;
        this.sector = 0;
        continue;
      }
      read += this.readNext(this.store.openTree(name), sectorsMax - read, damage);
    }
    const { at: treesDone } = this;
    const trees = this.names.length;
    return { sectorsRead: read, damage, treesDone, trees, isDone: treesDone === trees };
  }

  /** What begins at the place it is at. @returns sectors read */
  private readNext(tree: Tree, sectorsMax: number, damage: ScrubDamage[]): number {
    const extent: Extent = { isHole: true, sectorCount: 0 };
    const first = this.sector;
    this.store.extentAt(tree, first, TREE_SECTORS_MAX - first, extent);
    const count = extent.isHole ? extent.sectorCount : Math.min(extent.sectorCount, sectorsMax);
    this.sector = first + count;
    if (extent.isHole) return 0;
    if (this.codeOfRead(tree, first, count) === null) return count;
    for (let sector = first; sector < first + count; sector++) {
      const code = this.codeOfRead(tree, sector, 1);
      if (code !== null) damage.push({ tree: tree.name, sector, code });
    }
    return count;
  }

  private codeOfRead(tree: Tree, sector: number, count: number): ScrubDamage['code'] | null {
    try {
      this.store.read(tree, sector, count, NOBODY);
      return null;
    } catch (error) {
      if (!(error instanceof PlaneError)) throw error;
      return error.code;
    }
  }
}
