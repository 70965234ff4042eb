/**
 * FIFO with a limit: a ring of a power of two that grows up to its limit and never beyond.
 *
 *      head            tail
 *   [ . | a | b | c | . | . | . | . ]      length = tail - head, index = position & mask
 */
import { invariant } from './invariant.ts';

export class BoundedQueue<T> {
  readonly limit: number;
  private slots: (T | undefined)[] = new Array(16).fill(undefined);
  private head = 0;
  private tail = 0;

  /** @param limit items it may hold, at least 1 */
  constructor(limit: number) {
    invariant(Number.isSafeInteger(limit) && limit >= 1, 'a queue holds at least one item');
    this.limit = limit;
  }

  get length(): number {
    return this.tail - this.head;
  }

  get isFull(): boolean {
    return this.length === this.limit;
  }

  /** @throws InvariantError the queue is full: ask isFull first */
  push(item: T): void {
    invariant(!this.isFull, 'the producer asked whether there is room');
    if (this.length === this.slots.length) this.grow();
    this.slots[this.tail++ & (this.slots.length - 1)] = item;
  }

  /** The oldest item, undefined if there is none. */
  peek(): T | undefined {
    return this.slots[this.head & (this.slots.length - 1)];
  }

  /** Removes and returns the oldest item, undefined if there is none. */
  shift(): T | undefined {
    if (this.head === this.tail) return undefined;
    const at = this.head++ & (this.slots.length - 1);
    const item = this.slots[at];
    this.slots[at] = undefined;
    return item;
  }

  private grow(): void {
    const items: T[] = [];
    for (let item = this.shift(); item !== undefined; item = this.shift()) items.push(item);
    this.slots = new Array(this.slots.length * 2).fill(undefined);
    this.head = 0;
    this.tail = 0;
    for (const item of items) this.slots[this.tail++] = item;
  }
}
