/**
 * Random histories of a shard store, each operation mirrored in the oracle.
 *
 * The ranges lie at 0, across 2^32 (where one chunk map ends and the next begins) and at the end of
 * a tree. Weights of operations are drawn per seed, so that some seeds never share, never flush, or
 * hardly ever rest.
 */
import { expect } from 'vitest';
import { PlaneError } from '../../src/base/errors.ts';
import { unreachable } from '../../src/base/invariant.ts';
import type { Prng } from '../../src/base/prng.ts';
import type { ShardStore } from '../../src/segment/shard-store.ts';
import { fillerOf, HOLE, readVersions, runDry } from './sector-pattern.ts';
import { contentOf, type StoreOracle } from './store-oracle.ts';

/** The first is used most. */
export type ScriptRanges = readonly { readonly sector: number; readonly sectorCount: number }[];

export const RANGES: ScriptRanges = [
  { sector: 0, sectorCount: 96 },
  { sector: 2 ** 32 - 8, sectorCount: 16 },
  { sector: 2 ** 34 - 6, sectorCount: 6 },
];
/** Enough sectors for maps of many nodes: a checkpoint then takes many steps. */
export const WIDE_RANGES: ScriptRanges = [{ sector: 0, sectorCount: 500 }, ...RANGES.slice(1)];
const NAMES = ['d-1', 'd-2', 's-1', 's-2', 'clone-ü'];

const OPERATIONS = [
  'append',
  'read',
  'discard',
  'create',
  'share',
  'remove',
  'commit',
  'flush',
  'idle',
  'rest',
] as const;
type Operation = (typeof OPERATIONS)[number];

const WEIGHTS: Readonly<Record<Operation, number>> = {
  append: 12,
  read: 3,
  discard: 2,
  create: 1,
  share: 1,
  remove: 0.6,
  commit: 4,
  flush: 1.5,
  idle: 4,
  rest: 0.3,
};

/** Errors a script goes on after; any other ends it. */
const TOLERATED: ReadonlySet<string> = new Set(['NoSpace', 'StoreFailed']);

export class StoreScript {
  store: ShardStore;
  /** Codes of errors met so far. */
  readonly errors: string[] = [];
  readonly #oracle: StoreOracle;
  readonly #prng: Prng;
  readonly #ranges: ScriptRanges;
  readonly #weights: Readonly<Record<Operation, number>>;
  #version = 0;

  constructor(store: ShardStore, oracle: StoreOracle, prng: Prng, ranges: ScriptRanges = RANGES) {
    this.#ranges = ranges;
    this.store = store;
    this.#oracle = oracle;
    this.#prng = prng;
    const isOff = () => prng.nextBelow(6) === 0;
    const weights: Record<Operation, number> = { ...WEIGHTS };
    for (const operation of ['discard', 'share', 'remove', 'flush', 'idle', 'rest'] as const) {
      if (isOff()) weights[operation] = 0;
    }
    this.#weights = weights;
  }

  run(operationCount: number): void {
    for (let done = 0; done < operationCount; done++) this.step();
  }

  /** Does one operation and checks what it answers. */
  step(): void {
    const operation = this.#choose();
    try {
      this.#do(operation);
    } catch (error) {
      if (!(error instanceof PlaneError) || !TOLERATED.has(error.code)) throw error;
      this.errors.push(error.code);
    }
  }

  /** Fails unless the store holds exactly what it should. */
  expectAll(where: string): void {
    expect(contentOf(this.store, this.#ranges), where).toEqual(this.#oracle.current);
  }

  #choose(): Operation {
    let total = 0;
    for (const operation of OPERATIONS) total += this.#weights[operation];
    let at = this.#prng.nextFloat() * total;
    for (const operation of OPERATIONS) {
      at -= this.#weights[operation];
      if (at < 0) return operation;
    }
    return 'append';
  }

  #do(operation: Operation): void {
    const oracle = this.#oracle;
    switch (operation) {
      case 'append':
        this.#append();
        break;
      case 'read':
        this.#read();
        break;
      case 'discard':
        this.#discard();
        break;
      case 'create':
        this.#create(this.#anyName());
        break;
      case 'share':
        this.#share();
        break;
      case 'remove':
        this.#remove(this.#anyName());
        break;
      case 'commit':
        this.store.commit();
        oracle.committed();
        break;
      case 'flush':
        this.store.flush();
        oracle.flushed();
        break;
      case 'idle':
        this.store.idle();
        break;
      case 'rest':
        runDry(this.store);
        break;
      default:
        unreachable(operation);
    }
  }

  #append(): void {
    const name = this.#openName();
    const { sector, sectorCount } = this.#anyRange();
    const version = ++this.#version;
    const tree = this.store.openTree(name);
    this.#oracle.mayWrite(name, sector, sectorCount, version);
    try {
      this.store.append(tree, sector, sectorCount, fillerOf(version));
      this.#oracle.wrote(name, sector, sectorCount, version);
    } catch (error) {
      // Whole leading runs are new, the rest is old.
      const versions = readVersions(this.store, tree, sector, sectorCount);
      const newCount = versions.findIndex((each) => each !== version);
      this.#oracle.wrote(name, sector, newCount < 0 ? sectorCount : newCount, version);
      expect(versions).toEqual(this.#expected(name, sector, sectorCount));
      throw error;
    }
  }

  #read(): void {
    const name = this.#openName();
    const { sector, sectorCount } = this.#anyRange();
    const tree = this.store.openTree(name);
    const expected = this.#expected(name, sector, sectorCount);
    expect(readVersions(this.store, tree, sector, sectorCount)).toEqual(expected);
    const mapped = expected.filter((version) => version !== HOLE).length;
    expect(this.store.countMapped(tree, sector, sectorCount)).toBe(mapped);
  }

  #discard(): void {
    const name = this.#openName();
    const isWide = this.#prng.nextBelow(8) === 0;
    const range = isWide ? { sector: 0, sectorCount: 2 ** 34 } : this.#anyRange();
    const tree = this.store.openTree(name);
    const sectors = isWide ? [...this.#oracle.current.get(name)!.keys()] : sectorsOf(range);
    for (const sector of sectors) this.#oracle.mayWrite(name, sector, 1, HOLE);
    this.store.discard(tree, range.sector, range.sectorCount);
    for (const sector of sectors) this.#oracle.wrote(name, sector, 1, HOLE);
  }

  #create(name: string): void {
    if (!this.#oracle.current.has(name)) this.#oracle.mayCreate(name);
    this.store.openTree(name);
    this.#oracle.created(name);
  }

  #share(): void {
    const source = this.#anyName();
    const target = this.#anyName();
    if (this.#oracle.current.has(target)) {
      expect(() => this.store.shareTree(source, target)).toThrow(/InvalidArgument/);
      return;
    }
    this.#oracle.mayShare(source, target);
    this.store.shareTree(source, target);
    this.#oracle.shared(source, target);
  }

  #remove(name: string): void {
    if (this.#oracle.current.has(name)) this.#oracle.mayRemove(name);
    this.store.removeTree(name);
    this.#oracle.removed(name);
  }

  #expected(name: string, sector: number, sectorCount: number): number[] {
    const content = this.#oracle.current.get(name)!;
    return sectorsOf({ sector, sectorCount }).map((each) => content.get(each) ?? HOLE);
  }

  /** A name there is a tree of. */
  #openName(): string {
    const name = this.#anyName();
    this.#create(name);
    return name;
  }

  #anyName(): string {
    return NAMES[this.#prng.nextBelow(NAMES.length)]!;
  }

  #anyRange(): { sector: number; sectorCount: number } {
    const range = this.#ranges[this.#prng.nextBelow(10) < 8 ? 0 : 1 + this.#prng.nextBelow(2)]!;
    const from = this.#prng.nextBelow(range.sectorCount);
    const most = Math.min(range.sectorCount - from, this.#prng.nextBelow(6) === 0 ? 40 : 5);
    return { sector: range.sector + from, sectorCount: 1 + this.#prng.nextBelow(most) };
  }
}

function sectorsOf(range: { sector: number; sectorCount: number }): number[] {
  return Array.from({ length: range.sectorCount }, (_, index) => range.sector + index);
}
