import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ClientOption,
  HandshakeReader,
  ProtocolError,
} from '../../../../src/front/nbd/handshake-reader.ts';
import { NBD_OPTION_BYTES_MAX } from '../../../../src/limits.ts';
import { clientFlagsBytes, optionBytes } from '../../../support/nbd-bytes.ts';

/** Feeds bytes cut at some places, and takes every option as it comes. */
function read(bytes: Buffer, cuts: readonly number[]): { flags: number; options: ClientOption[] } {
  const reader = new HandshakeReader();
  const options: ClientOption[] = [];
  const edges = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])];
  edges.sort((a, b) => a - b);
  for (let index = 1; index < edges.length; index++) {
    const chunk = bytes.subarray(edges[index - 1], edges[index]);
    for (let at = 0; at < chunk.length; ) {
      const next = reader.feed(chunk, at);
      expect(next, 'every call gets on').toBeGreaterThan(at);
      at = next;
      if (reader.option !== null) options.push(reader.option);
      reader.option = null;
    }
  }
  return { flags: reader.clientFlags ?? -1, options };
}

const anyOption = fc.record({
  option: fc.integer({ min: 0, max: 0xffffffff }),
  bytes: fc.uint8Array({ maxLength: 300 }),
});

describe('the handshake reader', () => {
  test('reads the same options however the bytes are cut', () => {
    const cases = fc.property(
      fc.array(anyOption, { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 30 }),
      (wanted, cuts) => {
        const sent = wanted.map(({ option, bytes }) => optionBytes(option, bytes));
        const { flags, options } = read(Buffer.concat([clientFlagsBytes(3), ...sent]), cuts);
        expect(flags).toBe(3);
        expect(options.map(({ option }) => option)).toEqual(wanted.map(({ option }) => option));
        const got = options.map(({ bytes }) => Buffer.from(bytes!).toString('hex'));
        expect(got).toEqual(wanted.map(({ bytes }) => Buffer.from(bytes).toString('hex')));
      },
    );
    fc.assert(cases, { numRuns: 500 });
  });

  test('any bytes are read, or are a ProtocolError, and never more', () => {
    const cases = fc.property(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(fc.nat(), { maxLength: 9 }),
      (bytes, cuts) => {
        try {
          read(Buffer.from(bytes), cuts);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      },
    );
    fc.assert(cases, { numRuns: 2_000 });
  });

  test('an option longer than the limit is skipped, and the next one is read', () => {
    const long = optionBytes(7, Buffer.alloc(NBD_OPTION_BYTES_MAX + 1));
    const most = optionBytes(8, Buffer.alloc(NBD_OPTION_BYTES_MAX, 5));
    const { options } = read(Buffer.concat([clientFlagsBytes(), long, most]), [70_000, 90_000]);
    expect(options[0]).toEqual({ option: 7, bytes: null });
    expect(options[1]?.bytes?.length).toBe(NBD_OPTION_BYTES_MAX);
  });

  test('a length of 2^32 - 1 takes no memory', () => {
    const reader = new HandshakeReader();
    reader.feed(clientFlagsBytes(), 0);
    const header = optionBytes(1);
    header.writeUInt32BE(0xffffffff, 12);
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 1_000; count++)
      reader.feed(Buffer.alloc(16), reader.feed(header, 0) - 16);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
    expect(reader.option).toBe(null);
  });
});
