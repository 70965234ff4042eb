/**
 * What a store may hold after it was opened again: a reference model without any storage in it.
 *
 * `current` is the content by name and sector. Beside it stand two clouds of possibilities: what
 * may be there after a kill (anything since the last acknowledged commit) and after a power cut
 * (anything since the last acknowledged flush), sector by sector.
 */
import { expect } from 'vitest';
import type { ShardStore } from '../../src/segment/shard-store.ts';
import { HOLE, readVersions } from './sector-pattern.ts';

/** Versions by sector; a sector that is not in it is a hole. */
export type Content = Map<number, number>;

interface PossibleTree {
  mayBeAbsent: boolean;
  /** Possible versions of sectors; a sector that is not in it is certainly a hole. */
  readonly sectors: Map<number, Set<number>>;
}

class Possibilities {
  trees = new Map<string, PossibleTree>();

  /** Nothing is uncertain any more. */
  settle(current: ReadonlyMap<string, Content>): void {
    this.trees = new Map();
    for (const [name, content] of current) {
      const sectors = new Map<number, Set<number>>();
      for (const [sector, version] of content) sectors.set(sector, new Set([version]));
      this.trees.set(name, { mayBeAbsent: false, sectors });
    }
  }

  copy(): Possibilities {
    const copy = new Possibilities();
    for (const [name, tree] of this.trees) {
      const sectors = new Map<number, Set<number>>();
      for (const [sector, versions] of tree.sectors) sectors.set(sector, new Set(versions));
      copy.trees.set(name, { mayBeAbsent: tree.mayBeAbsent, sectors });
    }
    return copy;
  }

  add(name: string, sector: number, version: number): void {
    const { sectors } = this.#tree(name);
    const versions = sectors.get(sector) ?? new Set([HOLE]);
    versions.add(version);
    sectors.set(sector, versions);
  }

  addTree(name: string): void {
    const tree = this.#tree(name);
    for (const versions of tree.sectors.values()) versions.add(HOLE);
  }

  addShare(source: string, target: string): void {
    this.addTree(target);
    const from = this.trees.get(source);
    const to = this.#tree(target);
    for (const [sector, versions] of from?.sectors ?? []) {
      const possible = to.sectors.get(sector) ?? new Set([HOLE]);
      for (const version of versions) possible.add(version);
      to.sectors.set(sector, possible);
    }
  }

  addRemoval(name: string): void {
    this.#tree(name).mayBeAbsent = true;
  }

  #tree(name: string): PossibleTree {
    const tree = this.trees.get(name) ?? { mayBeAbsent: true, sectors: new Map() };
    this.trees.set(name, tree);
    return tree;
  }

  /** Fails unless the content is possible. */
  expectPossible(actual: ReadonlyMap<string, Content>, where: string): void {
    for (const [name, tree] of this.trees) {
      if (!tree.mayBeAbsent && !actual.has(name)) expect.fail(`${where}: tree ${name} is lost`);
    }
    for (const [name, content] of actual) {
      const tree = this.trees.get(name);
      if (tree === undefined) expect.fail(`${where}: tree ${name} was never made`);
      for (const [sector, versions] of tree.sectors) {
        const version = content.get(sector) ?? HOLE;
        if (versions.has(version)) continue;
        const possible = [...versions].join(', ');
        expect.fail(`${where}: ${name} ${sector} is ${version}, not one of ${possible}`);
      }
      for (const sector of content.keys()) {
        if (!tree.sectors.has(sector)) expect.fail(`${where}: ${name} ${sector} was a hole`);
      }
    }
  }
}

/** The possibilities at one instant. */
export interface OracleSnapshot {
  readonly afterKill: Possibilities;
  readonly afterPowerCut: Possibilities;
}

export class StoreOracle {
  current = new Map<string, Content>();
  readonly #afterKill = new Possibilities();
  readonly #afterPowerCut = new Possibilities();

  get #clouds(): Possibilities[] {
    return [this.#afterKill, this.#afterPowerCut];
  }

  snapshot(): OracleSnapshot {
    return { afterKill: this.#afterKill.copy(), afterPowerCut: this.#afterPowerCut.copy() };
  }

  /** Call before the store is asked to: it may be killed in between. */
  mayWrite(name: string, sector: number, sectorCount: number, version: number): void {
    for (let at = sector; at < sector + sectorCount; at++) {
      for (const cloud of this.#clouds) cloud.add(name, at, version);
    }
  }

  wrote(name: string, sector: number, sectorCount: number, version: number): void {
    const content = this.current.get(name)!;
    for (let at = sector; at < sector + sectorCount; at++) {
      if (version === HOLE) content.delete(at);
      else content.set(at, version);
    }
  }

  mayCreate(name: string): void {
    for (const cloud of this.#clouds) cloud.addTree(name);
  }

  created(name: string): void {
    if (!this.current.has(name)) this.current.set(name, new Map());
  }

  mayShare(source: string, target: string): void {
    for (const cloud of this.#clouds) cloud.addShare(source, target);
  }

  shared(source: string, target: string): void {
    this.current.set(target, new Map(this.current.get(source) ?? []));
  }

  mayRemove(name: string): void {
    for (const cloud of this.#clouds) cloud.addRemoval(name);
  }

  removed(name: string): void {
    this.current.delete(name);
  }

  committed(): void {
    this.#afterKill.settle(this.current);
  }

  flushed(): void {
    this.committed();
    this.#afterPowerCut.settle(this.current);
  }

  /** Takes over what a store opened again holds: all of that is durable. */
  adopt(actual: ReadonlyMap<string, Content>): void {
    this.current = new Map();
    for (const [name, content] of actual) this.current.set(name, new Map(content));
    this.flushed();
  }
}

/** All there is in the ranges a script uses. */
export function contentOf(
  store: ShardStore,
  ranges: readonly { readonly sector: number; readonly sectorCount: number }[],
): Map<string, Content> {
  const all = new Map<string, Content>();
  for (const name of store.treeNames()) {
    const content: Content = new Map();
    const tree = store.openTree(name);
    for (const { sector, sectorCount } of ranges) {
      readVersions(store, tree, sector, sectorCount).forEach((version, index) => {
        if (version !== HOLE) content.set(sector + index, version);
      });
    }
    all.set(name, content);
  }
  return all;
}
