import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../../src/front/nbd/handshake-reader.ts';
import type { NbdRequest } from '../../../../src/front/nbd/request.ts';
import { RequestReader, type RequestSink } from '../../../../src/front/nbd/request-reader.ts';
import { type RawRequest, requestBytes } from '../../../support/nbd-bytes.ts';

const WRITE = 1;

interface Seen {
  readonly request: NbdRequest;
  readonly payload: string | null;
}

/**
 * A sink that admits as it is told, has no place for payloads of odd length, and keeps chunks of
 * every other one it has a place for.
 */
class Recorder implements RequestSink {
  readonly seen: Seen[] = [];
  refusals = 0;
  private readonly admits: () => boolean;

  constructor(admits: () => boolean) {
    this.admits = admits;
  }

  admit(): boolean {
    const isAdmitted = this.admits();
    if (!isAdmitted) this.refusals++;
    return isAdmitted;
  }

  keepChunk({ length }: NbdRequest): boolean {
    return length % 4 === 0;
  }

  placeFor({ length }: NbdRequest): Uint8Array | null {
    return length % 2 === 1 || length > 2 ** 20 ? null : new Uint8Array(length);
  }

  request(request: NbdRequest, payload: Uint8Array | null): void {
    const text = payload === null ? null : Buffer.from(payload).toString('hex');
    this.seen.push({ request, payload: text });
  }
}

/** Feeds a stream cut at some places; asks again where a request was not admitted. */
function read(bytes: Buffer, cuts: readonly number[], admits: () => boolean): Recorder {
  const sink = new Recorder(admits);
  const reader = new RequestReader(sink);
  const edges = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])];
  edges.sort((a, b) => a - b);
  for (let index = 1; index < edges.length; index++) {
    const chunk = bytes.subarray(edges[index - 1], edges[index]);
    let at = reader.feed(chunk, 0);
    while (at < chunk.length || reader.isWaiting) {
      expect(reader.isWaiting, 'it stops only where it has to wait').toBe(true);
      at = reader.feed(chunk, at);
    }
  }
  return sink;
}

const anyRequest = fc.record({
  command: fc.integer({ min: 0, max: 9 }),
  flags: fc.integer({ min: 0, max: 0xffff }),
  cookie: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  offset: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  length: fc.integer({ min: 0, max: 0xffffffff }),
  content: fc.uint8Array({ maxLength: 200 }),
});

describe('the request reader', () => {
  test('reads the same requests however the bytes are cut and whoever is kept waiting', () => {
    const cases = fc.property(
      fc.array(anyRequest, { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 30 }),
      fc.infiniteStream(fc.boolean()),
      (wanted, cuts, admits) => {
        const sent = wanted.map(
          ({ content, ...request }): RawRequest =>
            request.command === WRITE
              ? { ...request, length: content.length, payload: content }
              : request,
        );
        const stream = Buffer.concat(sent.map(requestBytes));
        const { seen } = read(stream, cuts, () => admits.next().value as boolean);
        expect(seen.length).toBe(sent.length);
        for (const [index, { request, payload }] of seen.entries()) {
          const { command, flags, cookie = 0n, offset = 0n, length = 0, ...rest } = sent[index]!;
          expect(request).toMatchObject({ command, flags, length });
          const halves = (BigInt(request.cookieHigh) << 32n) | BigInt(request.cookieLow);
          expect(halves).toBe(cookie);
          const exact = offset < 2n ** 53n ? Number(offset) : Number.POSITIVE_INFINITY;
          expect(request.offset).toBe(exact);
          const isKept = command === WRITE && length > 0 && length % 2 === 0;
          expect(payload).toBe(isKept ? Buffer.from(rest.payload!).toString('hex') : null);
        }
      },
    );
    fc.assert(cases, { numRuns: 500 });
  });

  test('any bytes after a valid request are read, or are a ProtocolError', () => {
    const cases = fc.property(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(fc.nat(), { maxLength: 9 }),
      (bytes, cuts) => {
        const valid = requestBytes({ command: 3 });
        try {
          read(Buffer.concat([valid, bytes]), cuts, () => true);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      },
    );
    fc.assert(cases, { numRuns: 2_000 });
  });

  test('a flipped bit is another request, an error or a shift, never a crash', () => {
    const stream = Buffer.concat(
      Array.from({ length: 6 }, (_, index) =>
        requestBytes({
          command: index % 8,
          cookie: BigInt(index),
          length: index % 8 === WRITE ? 64 : 512,
          ...(index % 8 === WRITE ? { payload: new Uint8Array(64).fill(index) } : {}),
        }),
      ),
    );
    for (let bit = 0; bit < stream.length * 8; bit++) {
      const bent = Buffer.from(stream);
      bent[bit >> 3]! ^= 1 << (bit & 7);
      try {
        read(bent, [100, 130], () => true);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }
  });

  test('bytes received in their place count as if they were fed', () => {
    const sink = new Recorder(() => true);
    const reader = new RequestReader(sink);
    const payload = new Uint8Array(1000).map((_, index) => index);
    const bytes = requestBytes({ command: WRITE, length: 1000, payload });
    expect(reader.missing).toBe(null);
    reader.feed(bytes.subarray(0, 128), 0);
    expect(reader.unfinished?.length).toBe(1000);
    while (reader.missing !== null) {
      const { missing } = reader;
      const count = Math.min(450, missing.length);
      missing.set(payload.subarray(1000 - missing.length, 1000 - missing.length + count));
      reader.received(count);
    }
    expect(sink.seen[0]?.payload).toBe(Buffer.from(payload).toString('hex'));
    expect(reader.isBetweenRequests).toBe(true);
  });
});
