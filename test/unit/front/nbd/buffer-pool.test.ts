/** Memory for payloads: what is given, what is given again, and that nobody shares it. */
import { describe, expect, test } from 'vitest';
import { BufferPool } from '../../../../src/front/nbd/buffer-pool.ts';

const registered = { close: async () => {} } as never;

/** A pool of which the buffers of a size are registered already. */
async function grownPool(byteCount: number): Promise<BufferPool> {
  const pool = new BufferPool(async () => registered);
  pool.take(byteCount).release();
  await new Promise(setImmediate);
  return pool;
}

describe('a pool of buffers', () => {
  test('gives registered memory once it is there, own memory before', async () => {
    const pool = new BufferPool(async () => registered);
    expect(pool.take(4096).bytes.buffer).toBeInstanceOf(ArrayBuffer);
    await new Promise(setImmediate);
    expect(pool.take(4096).bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  test('gives own memory for ever where none can be registered', async () => {
    const pool = new BufferPool(() => Promise.reject(new Error('closing')));
    for (let time = 0; time < 3; time++) {
      expect(pool.take(4096).bytes.buffer).toBeInstanceOf(ArrayBuffer);
      await new Promise(setImmediate);
    }
    await pool.close();
  });

  test('gives the same view of a buffer again, and always the right one', async () => {
    const pool = await grownPool(4096);
    const buffer = pool.take(4096);
    const ranges = [
      [0, 4096],
      [28, 4124],
      [12, 4124],
      [0, 512],
      [28, 540],
    ] as const;
    for (const [from, to] of [...ranges, ...ranges]) {
      const view = buffer.view(from, to);
      expect(view.byteOffset - buffer.bytes.byteOffset).toBe(from);
      expect(view.length).toBe(to - from);
    }
    expect(buffer.view(28, 540)).toBe(buffer.view(28, 540));
    buffer.release();
    expect(() => buffer.release()).toThrow(/released once/);
  });

  test('gives views of memory of its own, too', () => {
    const pool = new BufferPool(() => Promise.reject(new Error('closing')));
    const buffer = pool.take(100);
    buffer.view(10, 20).fill(7);
    expect([...buffer.bytes.subarray(10, 20)]).toEqual(new Array(10).fill(7));
  });
});
