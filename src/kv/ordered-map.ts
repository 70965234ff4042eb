/**
 * A map from strings to values that can be walked in key order.
 *
 * Two levels: a list of leaves, each a sorted run of at most LEAF_ENTRIES_MAX keys.
 *
 *   leaves   [ a..f ] [ g..k ] [ l..z ]
 *
 * 1. Every leaf holds at least one entry; keys ascend within a leaf and from leaf to leaf.
 * 2. A full leaf is split in half; an emptied leaf is dropped. Leaves are not merged: a map that
 *    shrinks keeps thin leaves, which costs memory in proportion to its former size at most.
 *
 * A lookup is two binary searches; an insertion moves at most a leaf and, once per split, the list
 * of leaves. Memory planes and the simulator hold at most some 10^6 keys: 10^4 leaves.
 */
import { invariant } from '../base/invariant.ts';

const LEAF_ENTRIES_MAX = 256;

interface Leaf<V> {
  readonly keys: string[];
  readonly values: V[];
}

export class OrderedMap<V> {
  #leaves: Leaf<V>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    const leaf = this.#leaves[this.#leafIndex(key)];
    if (leaf === undefined) return undefined;
    const at = firstAtLeast(leaf.keys, key);
    return leaf.keys[at] === key ? leaf.values[at] : undefined;
  }

  set(key: string, value: V): void {
    if (this.#leaves.length === 0) this.#leaves.push({ keys: [], values: [] });
    const index = this.#leafIndex(key);
    const leaf = this.#leaves[index]!;
    const at = firstAtLeast(leaf.keys, key);
    if (leaf.keys[at] === key) {
      leaf.values[at] = value;
      return;
    }
    leaf.keys.splice(at, 0, key);
    leaf.values.splice(at, 0, value);
    this.#size++;
    if (leaf.keys.length > LEAF_ENTRIES_MAX) this.#split(index, leaf);
  }

  /** @returns false if there was none */
  delete(key: string): boolean {
    const index = this.#leafIndex(key);
    const leaf = this.#leaves[index];
    if (leaf === undefined) return false;
    const at = firstAtLeast(leaf.keys, key);
    if (leaf.keys[at] !== key) return false;
    leaf.keys.splice(at, 1);
    leaf.values.splice(at, 1);
    this.#size--;
    if (leaf.keys.length === 0) this.#leaves.splice(index, 1);
    return true;
  }

  /**
   * Entries with start <= key < end (start < key if isAfter), the first skip of them left out.
   * The map must not change while the iterator is in use.
   */
  *entries(start: string, end: string, isAfter: boolean, skip: number): Generator<[string, V]> {
    let index = this.#leafIndex(start);
    let leaf = this.#leaves[index];
    if (leaf === undefined) return;
    let at = firstAtLeast(leaf.keys, start);
    if (isAfter && leaf.keys[at] === start) at++;
    let toSkip = skip;
    for (; leaf !== undefined; leaf = this.#leaves[++index], at = 0) {
      const rest = leaf.keys.length - at;
      if (toSkip >= rest) {
        toSkip -= rest;
        continue;
      }
      for (at += toSkip, toSkip = 0; at < leaf.keys.length; at++) {
        const key = leaf.keys[at]!;
        if (key >= end) return;
        yield [key, leaf.values[at]!];
      }
    }
  }

  #split(index: number, leaf: Leaf<V>): void {
    const half = leaf.keys.length >> 1;
    const right = { keys: leaf.keys.splice(half), values: leaf.values.splice(half) };
    invariant(leaf.keys.length > 0 && right.keys.length > 0, 'no leaf is empty');
    this.#leaves.splice(index + 1, 0, right);
  }

  /** The leaf a key is in or belongs into: the last whose first key is not behind it. */
  #leafIndex(key: string): number {
    let low = 0;
    let high = this.#leaves.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#leaves[middle]!.keys[0]! <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(low - 1, 0);
  }
}

/** Index of the first key >= key: keys.length if there is none. */
function firstAtLeast(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
