import { describe, expect, it } from 'vitest';
import { BoundedQueue } from '../../../src/base/bounded-queue.ts';
import { createPrng } from '../../../src/base/prng.ts';

describe('a bounded queue', () => {
  it('gives items back in order, as an array would, over 10,000 random steps', () => {
    const queue = new BoundedQueue<number>(100);
    const model: number[] = [];
    const random = createPrng(1);
    for (let step = 0; step < 10_000; step++) {
      if (random.nextBelow(2) === 0 && !queue.isFull) {
        queue.push(step);
        model.push(step);
      } else {
        expect(queue.peek()).toBe(model[0]);
        expect(queue.shift()).toBe(model.shift());
      }
      expect(queue.length).toBe(model.length);
    }
  });

  it('is full at its limit, and pushing then is a bug', () => {
    const queue = new BoundedQueue<number>(3);
    for (const item of [1, 2, 3]) queue.push(item);
    expect(queue.isFull).toBe(true);
    expect(() => queue.push(4)).toThrow('invariant broken');
    queue.shift();
    queue.push(4);
    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual([
      2,
      3,
      4,
      undefined,
    ]);
  });

  it('holds at least one item', () => {
    expect(() => new BoundedQueue<number>(0)).toThrow('invariant broken');
  });
});
