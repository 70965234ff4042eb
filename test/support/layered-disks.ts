/**
 * Disks of several layers on one store, with the part of the control plane that keeps their
 * records: a record names a tree before the tree gets data, and names it no more before it is
 * removed.
 *
 * The cipher is a toy: what is decrypted under another key, or as another sector, is other bytes.
 */
import { allocateRegion, type MemoryRegion } from '../../src/base/bytes.ts';
import type { SectorKey } from '../../src/cipher/sector-cipher.ts';
import type { ShardStore } from '../../src/segment/shard-store.ts';
import { Layer } from '../../src/shard/layer.ts';
import { Reencryption } from '../../src/shard/reencryption.ts';
import { shareTrees } from '../../src/shard/share-trees.ts';
import { Volume } from '../../src/shard/volume.ts';

const SECTOR = 4096;
const DISK_BYTES = 2 ** 34 * SECTOR;

/** One layer as a record has it. */
interface LayerName {
  readonly tree: string;
  /** 0: plain. */
  readonly key: number;
}

export type DiskRecords = Map<string, readonly LayerName[]>;

interface Job {
  readonly layers: readonly Layer[];
  readonly reencryption: Reencryption;
}

export class LayeredDisks {
  readonly records: DiskRecords;
  readonly store: ShardStore;
  readonly #settleSectors: number;
  readonly #volumes = new Map<string, Volume>();
  readonly #jobs = new Map<string, Job>();
  #nextNumber: number;

  /** @param records taken over: of disks the store has, or none */
  constructor(store: ShardStore, settleSectors: number, records: DiskRecords = new Map()) {
    this.store = store;
    this.records = records;
    this.#settleSectors = settleSectors;
    const numbers = [...records.values()].flat().map(({ tree }) => Number(tree.split('/')[1]));
    this.#nextNumber = 1 + Math.max(0, ...numbers);
    const named = new Set([...records.values()].flat().map(({ tree }) => tree));
    for (const tree of store.treeNames()) if (!named.has(tree)) store.removeTree(tree);
  }

  names(): string[] {
    return [...this.records.keys()];
  }

  layerCount(name: string): number {
    return this.records.get(name)!.length;
  }

  /** @param isPlain the layer is not encrypted */
  create(name: string, isPlain: boolean): void {
    this.records.set(name, [this.#newLayer(name, isPlain)]);
  }

  read(name: string, offset: number, length: number): Uint8Array {
    const { region, at } = staged(offset, length);
    this.#volume(name).read(offset, length, region, 0);
    return region.bytes.subarray(at, at + length);
  }

  write(name: string, offset: number, bytes: Uint8Array): void {
    const { region, at } = staged(offset, bytes.byteLength);
    region.bytes.set(bytes, at);
    this.#volume(name).write(offset, bytes.byteLength, region, 0);
  }

  zero(name: string, offset: number, length: number): void {
    this.#volume(name).zero(offset, length);
  }

  /** A new key on top of a disk. */
  push(name: string): void {
    this.#endJob(name);
    const volume = this.#volume(name);
    const layer = this.#newLayer(name, false);
    this.records.set(name, [layer, ...this.records.get(name)!]);
    volume.pushLayer(this.#open(layer));
  }

  /** One step of the disk's job, which is begun if there is none. @returns true if it has ended */
  step(name: string, sectorsMax: number): boolean {
    const [top, ...lower] = this.records.get(name)!;
    if (lower.length === 0) return true;
    const { reencryption } = this.#job(name);
    if (!reencryption.step(sectorsMax).isDone) return false;
    this.#endJob(name);
    this.#volume(name).dropLowerLayers();
    this.records.set(name, [top!]);
    for (const { tree } of lower) this.store.removeTree(tree);
    return true;
  }

  /** The disk's job forgets how far it was, as when a plane is opened again. */
  endJob(name: string): void {
    this.#endJob(name);
  }

  share(source: string, target: string): void {
    const layers = this.records.get(source)!;
    const copies = layers.map(({ key }) => ({ tree: this.#newTree(target), key }));
    const pairs = layers.map(({ tree }, index) => ({ source: tree, target: copies[index]!.tree }));
    shareTrees(this.store, pairs);
    this.records.set(target, copies);
  }

  remove(name: string): void {
    this.#endJob(name);
    this.#volumes.get(name)?.close();
    this.#volumes.delete(name);
    const layers = this.records.get(name)!;
    this.records.delete(name);
    for (const { tree } of layers) this.store.removeTree(tree);
  }

  #endJob(name: string): void {
    for (const layer of this.#jobs.get(name)?.layers ?? []) layer.close();
    this.#jobs.delete(name);
  }

  #job(name: string): Job {
    const known = this.#jobs.get(name);
    if (known !== undefined) return known;
    const layers = this.records.get(name)!.map((layer) => this.#open(layer));
    const [top, ...lower] = layers;
    const reencryption = new Reencryption(this.store, top!, lower, this.#settleSectors);
    const job = { layers, reencryption };
    this.#jobs.set(name, job);
    return job;
  }

  #volume(name: string): Volume {
    const known = this.#volumes.get(name);
    if (known !== undefined) return known;
    const layers = this.records.get(name)!.map((layer) => this.#open(layer));
    const volume = new Volume(this.store, name, DISK_BYTES, layers);
    this.#volumes.set(name, volume);
    return volume;
  }

  #open(layer: LayerName): Layer {
    return new Layer(this.store, layer.tree, layer.key === 0 ? null : toyKey(layer.key));
  }

  #newLayer(name: string, isPlain: boolean): LayerName {
    const tree = this.#newTree(name);
    return { tree, key: isPlain ? 0 : this.#nextNumber };
  }

  #newTree(name: string): string {
    return `${name}/${this.#nextNumber++}`;
  }
}

/** Whole sectors around a range, filled with what must not be seen; `at` is where it begins. */
function staged(offset: number, length: number): { region: MemoryRegion; at: number } {
  const at = offset % SECTOR;
  const region = allocateRegion(Math.ceil((at + length) / SECTOR) * SECTOR);
  region.bytes.fill(0xee);
  return { region, at };
}

function toyKey(number: number): SectorKey {
  let isOpen = true;
  const mask = (
    source: MemoryRegion,
    sourceOffset: number,
    target: MemoryRegion,
    targetOffset: number,
    firstSector: number,
    sectorCount: number,
  ): void => {
    if (!isOpen) throw new Error(`key ${number} is used after it was closed`);
    const { bytes: from } = source;
    const { bytes: to } = target;
    for (let index = 0; index < sectorCount; index++) {
      let stream = number * 101 + ((firstSector + index) % 251) * 7;
      const end = (index + 1) * SECTOR;
      for (let at = index * SECTOR; at < end; at++) {
        to[targetOffset + at] = from[sourceOffset + at]! ^ (stream & 0xff);
        stream += 13;
      }
    }
  };
  const close = (): void => {
    isOpen = false;
  };
  return { encrypt: mask, decrypt: mask, close };
}
