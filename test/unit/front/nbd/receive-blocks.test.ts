/** What a connection is received into stays as it is for as long as it is held. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BufferPool } from '../../../../src/front/nbd/buffer-pool.ts';
import { type Hold, ReceiveBlocks } from '../../../../src/front/nbd/receive-blocks.ts';
import {
  NBD_RECEIVE_BLOCKS_MAX,
  NBD_RECEIVE_BYTES,
  NBD_RECEIVE_BYTES_MIN,
} from '../../../../src/limits.ts';

/** A pool that has no memory before it was asked and a turn is over, as the real one. */
async function filledPool(): Promise<BufferPool> {
  const pool = new BufferPool(async () => ({ close: async () => {} }) as never);
  pool.takeShared(NBD_RECEIVE_BYTES);
  await new Promise((resolve) => setImmediate(resolve));
  return pool;
}

function receive(blocks: ReceiveBlocks, byteCount: number, value: number): Buffer {
  const target = blocks.nextTarget();
  expect(target.length).toBeGreaterThanOrEqual(NBD_RECEIVE_BYTES_MIN);
  target.fill(value, 0, byteCount);
  return blocks.received(byteCount);
}

describe('the blocks a connection is received into', () => {
  test('are of memory the shards see as soon as there is some', async () => {
    const pool = await filledPool();
    const blocks = new ReceiveBlocks(pool);
    expect(receive(blocks, 10, 1).buffer).toBeInstanceOf(SharedArrayBuffer);
    const empty = new ReceiveBlocks(new BufferPool(() => Promise.reject(new Error('closing'))));
    expect(receive(empty, 10, 1).buffer).toBeInstanceOf(ArrayBuffer);
  });

  test('are used again from the beginning where nothing is held', async () => {
    const blocks = new ReceiveBlocks(await filledPool());
    const first = receive(blocks, 1000, 1);
    const second = receive(blocks, 500, 2);
    expect([second.buffer, second.byteOffset]).toEqual([first.buffer, first.byteOffset]);
  });

  test('keep what is held, whatever is received and released meanwhile', () => {
    const step = fc.record({
      byteCount: fc.integer({ min: 1, max: NBD_RECEIVE_BYTES_MIN }),
      isHeld: fc.boolean(),
      releases: fc.nat({ max: 3 }),
    });
    const cases = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const blocks = new ReceiveBlocks(await filledPool());
      const held: { chunk: Buffer; hold: Hold; value: number }[] = [];
      for (const [index, { byteCount, isHeld, releases }] of steps.entries()) {
        const value = (index % 250) + 1;
        const chunk = receive(blocks, byteCount, value);
        const hold = isHeld ? blocks.hold() : null;
        if (hold !== null) held.push({ chunk, hold, value });
        for (const { chunk: kept, value: expected } of held) {
          expect(kept.every((byte) => byte === expected)).toBe(true);
        }
        for (const { hold: over } of held.splice(0, releases)) over.release();
      }
    });
    return fc.assert(cases, { numRuns: 60 });
  });

  test('are at most so many, and can always be received into', async () => {
    const blocks = new ReceiveBlocks(await filledPool());
    const holds: Hold[] = [];
    let refusals = 0;
    for (let round = 0; round < 100; round++) {
      receive(blocks, NBD_RECEIVE_BYTES_MIN, 1);
      const hold = blocks.hold();
      if (hold === null) refusals++;
      else holds.push(hold);
    }
    expect(holds).toHaveLength((NBD_RECEIVE_BLOCKS_MAX - 1) * 4);
    expect(refusals).toBe(100 - holds.length);
    for (const hold of holds) hold.release();
    expect(blocks.hold()).not.toBe(null);
  });

  test('go back to the pool once: at the end, or with the last hold', () => {
    let taken = 0;
    let released = 0;
    const takeShared = (byteCount: number) => {
      taken++;
      return { bytes: Buffer.alloc(byteCount), release: () => released++ };
    };
    const blocks = new ReceiveBlocks({ takeShared } as unknown as BufferPool);
    receive(blocks, NBD_RECEIVE_BYTES - NBD_RECEIVE_BYTES_MIN + 1, 1);
    const first = blocks.hold()!;
    receive(blocks, 1, 2);
    const second = blocks.hold()!;
    receive(blocks, 1, 3);
    blocks.close();
    blocks.close();
    expect([taken, released]).toEqual([2, 0]);
    first.release();
    expect(released).toBe(1);
    second.release();
    expect([taken, released]).toEqual([2, 2]);
    expect(() => second.release()).toThrow(/released once/);
  });
});
