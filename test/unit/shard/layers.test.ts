/** Volumes of one to three layers against plain arrays, with re-encryption in between. */
import { describe, expect, it } from 'vitest';
import { createPrng, type Prng } from '../../../src/base/prng.ts';
import { openMemoryStore } from '../../../src/segment/memory-store.ts';
import { Layer } from '../../../src/shard/layer.ts';
import { Volume } from '../../../src/shard/volume.ts';
import { expectBytes } from '../../support/expect-bytes.ts';
import { LayeredDisks } from '../../support/layered-disks.ts';
import { longFactor } from '../../support/long.ts';

const SECTOR = 4096;
const SECTORS = 40;
const BYTES = SECTORS * SECTOR;

class Model {
  readonly disks: LayeredDisks;
  readonly arrays = new Map<string, Uint8Array>();
  maxLayers = 0;
  readonly #prng: Prng;
  #made = 0;

  constructor(seed: number) {
    const store = openMemoryStore({
      memoryLimitBytes: 64 << 20,
      geometry: { segmentSectors: 16, logBytesMax: 1 << 20, reserveBytes: 0 },
    });
    this.#prng = createPrng(seed);
    this.disks = new LayeredDisks(store, 8);
    this.#create();
  }

  step(): void {
    const name = this.#pick(this.disks.names());
    switch (this.#prng.nextBelow(14)) {
      case 0:
      case 1:
      case 2:
      case 3:
        this.#write(name);
        break;
      case 4:
      case 5:
        this.#zero(name);
        break;
      case 6:
      case 7:
      case 8:
        this.disks.step(name, 1 + this.#prng.nextBelow(12));
        break;
      case 9:
        if (this.disks.layerCount(name) < 3) this.disks.push(name);
        break;
      case 10:
        this.#shareOrRemove(name);
        break;
      case 11:
        this.disks.endJob(name);
        break;
      default:
        this.#read(name);
    }
    this.maxLayers = Math.max(this.maxLayers, this.disks.layerCount(this.disks.names()[0]!));
  }

  expectAll(): void {
    for (const [name, array] of this.arrays) expectBytes(this.disks.read(name, 0, BYTES), array);
    expect(this.disks.store.check().problems).toEqual([]);
  }

  /** Every disk is re-encrypted to its end: one layer, nothing of the others in the store. */
  finish(): void {
    for (const name of this.disks.names()) {
      for (let steps = 0; !this.disks.step(name, 7); steps++) expect(steps).toBeLessThan(100);
      expect(this.disks.layerCount(name)).toBe(1);
    }
    expect(this.disks.store.treeNames()).toHaveLength(this.arrays.size);
  }

  #create(): void {
    const name = `d${++this.#made}`;
    this.disks.create(name, this.#prng.nextBelow(3) === 0);
    this.arrays.set(name, new Uint8Array(BYTES));
  }

  #range(): [offset: number, length: number] {
    const offset = this.#prng.nextBelow(BYTES);
    const isLong = this.#prng.nextBelow(3) === 0;
    const length = 1 + this.#prng.nextBelow(Math.min(BYTES - offset, isLong ? BYTES : 3 * SECTOR));
    return this.#prng.nextBelow(2) === 0
      ? [offset, length]
      : [offset - (offset % SECTOR), Math.ceil(length / SECTOR) * SECTOR];
  }

  #clipped(): [offset: number, length: number] {
    const [offset, length] = this.#range();
    return [offset, Math.min(length, BYTES - offset)];
  }

  #write(name: string): void {
    const [offset, length] = this.#clipped();
    const bytes = new Uint8Array(length);
    this.#prng.fill(bytes);
    this.disks.write(name, offset, bytes);
    this.arrays.get(name)!.set(bytes, offset);
  }

  #zero(name: string): void {
    const [offset, length] = this.#clipped();
    this.disks.zero(name, offset, length);
    this.arrays.get(name)!.fill(0, offset, offset + length);
  }

  #read(name: string): void {
    const [offset, length] = this.#clipped();
    const wanted = this.arrays.get(name)!.subarray(offset, offset + length);
    expectBytes(this.disks.read(name, offset, length), wanted);
  }

  #shareOrRemove(name: string): void {
    if (this.arrays.size > 3) {
      this.disks.remove(name);
      this.arrays.delete(name);
      return;
    }
    const target = `d${++this.#made}`;
    this.disks.share(name, target);
    this.arrays.set(target, this.arrays.get(name)!.slice());
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#prng.nextBelow(items.length)]!;
  }
}

describe('a volume of layers', () => {
  it('counts each sector that some layer has once', () => {
    const prng = createPrng(9);
    for (let layerCount = 1; layerCount <= 3; layerCount++) {
      const store = openMemoryStore({ memoryLimitBytes: 64 << 20 });
      const layers = ['a', 'b', 'c'].slice(0, layerCount);
      const volume = new Volume(
        store,
        'd',
        BYTES,
        layers.map((tree) => new Layer(store, tree, null)),
      );
      const isMapped = new Array<boolean>(SECTORS).fill(false);
      for (const tree of layers) {
        for (let runs = 0; runs < 4; runs++) {
          const first = prng.nextBelow(SECTORS - 5);
          const count = 1 + prng.nextBelow(5);
          store.append(store.openTree(tree), first, count, { fill: () => {} });
          isMapped.fill(true, first, first + count);
        }
      }
      for (let first = 0; first < SECTORS; first++) {
        for (let count = 1; first + count <= SECTORS; count++) {
          const mapped = isMapped.slice(first, first + count).filter((each) => each);
          expect(volume.countMapped(first, count)).toBe(mapped.length);
        }
      }
    }
  });

  it('reads as a plain array over random histories of writes, zeros, steps and snapshots', () => {
    let maxLayers = 0;
    for (let seed = 1; seed <= 20 * longFactor; seed++) {
      const model = new Model(seed);
      for (let done = 0; done < 150; done++) model.step();
      model.expectAll();
      model.finish();
      model.expectAll();
      maxLayers = Math.max(maxLayers, model.maxLayers);
    }
    expect(maxLayers).toBe(3);
  });
});
