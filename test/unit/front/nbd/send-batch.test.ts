/** Replies of one turn put together: bytes in order, every `sent` once, blocks not too early. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SendBatch } from '../../../../src/front/nbd/send-batch.ts';

/** Bytes of a length, told apart by their number. */
function reply(length: number, number: number): Buffer {
  return Buffer.alloc(length, number & 0xff);
}

function joined(chunks: readonly Uint8Array[]): Buffer {
  return Buffer.concat(chunks.map((chunk) => Buffer.from(chunk)));
}

describe('replies of one turn', () => {
  test('leave in the order they were added, whatever their lengths', () => {
    const lengths = fc.array(fc.oneof(fc.nat(600), fc.integer({ min: 500, max: 20_000 })), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(lengths, (each) => {
        const batch = new SendBatch();
        const replies = each.map((length, number) => reply(length, number));
        for (const bytes of replies) batch.add(bytes, null);
        expect(joined(batch.take().chunks).equals(Buffer.concat(replies))).toBe(true);
        expect(batch.isEmpty).toBe(true);
      }),
    );
  });

  test('without data are one chunk; data goes from where it is', () => {
    const batch = new SendBatch();
    const payload = reply(4096, 9);
    batch.add(reply(16, 1), null);
    batch.add(reply(16, 2), null);
    batch.add(payload, null);
    batch.add(reply(16, 3), null);
    const { chunks } = batch.take();
    expect(chunks.map(({ length }) => length)).toEqual([32, 4096, 16]);
    expect(chunks[1]).toBe(payload);
  });

  test('are told of once each, when all of them have left', () => {
    const batch = new SendBatch();
    const told: number[] = [];
    for (let number = 0; number < 3; number++) batch.add(reply(16, 1), () => told.push(number));
    const { done } = batch.take();
    batch.add(reply(16, 1), () => told.push(9));
    expect(told).toEqual([]);
    done();
    expect(told).toEqual([0, 1, 2]);
    batch.take().done();
    expect(told).toEqual([0, 1, 2, 9]);
  });

  test('keep their block until they have left, then it is used again', () => {
    const batch = new SendBatch();
    batch.add(reply(16, 1), null);
    const first = batch.take();
    batch.add(reply(16, 2), null);
    const second = batch.take();
    expect(second.chunks[0]!.buffer).not.toBe(first.chunks[0]!.buffer);
    expect(joined(first.chunks).equals(reply(16, 1))).toBe(true);
    first.done();
    batch.add(reply(16, 3), null);
    const third = batch.take();
    expect(third.chunks[0]!.buffer).toBe(first.chunks[0]!.buffer);
    expect(joined(second.chunks).equals(reply(16, 2))).toBe(true);
  });
});
