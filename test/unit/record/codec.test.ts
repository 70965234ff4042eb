import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import { decodeRecord, encodeRecord } from '../../../src/record/codec.ts';
import { KIND_NUMBERS, type RecordKind, SHAPES } from '../../../src/record/shapes.ts';
import { encryption, examples, kinds } from '../../support/record-examples.ts';

const decodeAny = (kind: RecordKind, bytes: Uint8Array): unknown => decodeRecord(kind, bytes);

describe('the record codec', () => {
  test.each(kinds)('a %s record reads back as it was written', (kind) => {
    const bytes = encodeRecord(kind, examples[kind]);
    expect(decodeAny(kind, bytes)).toEqual(examples[kind]);
  });

  test('kinds have numbers of their own, and every kind a shape', () => {
    const numbers = Object.values(KIND_NUMBERS);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(Object.keys(SHAPES).sort()).toEqual([...kinds].sort());
  });

  test('the head is version, kind, length and CRC-32, and a payload any MessagePack reads', () => {
    const bytes = Buffer.from(encodeRecord('disk', examples.disk));
    const payload = bytes.subarray(10);
    expect([bytes[0], bytes[1]]).toEqual([1, KIND_NUMBERS.disk]);
    expect(bytes.readUInt32LE(2)).toBe(payload.length);
    const covered = Buffer.concat([bytes.subarray(0, 6), payload]);
    expect(bytes.readUInt32LE(6)).toBe(crc32(covered));
    // A map of 16-bit length: no table of structures is needed to read it.
    expect([payload[0], payload.readUInt16BE(1)]).toEqual([
      0xde,
      Object.keys(examples.disk).length,
    ]);
  });

  test('a change of any bit is found, in every kind', () => {
    for (const kind of kinds) {
      const bytes = encodeRecord(kind, examples[kind]);
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const damaged = bytes.slice();
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => decodeAny(kind, damaged)).toThrow(/^DataDirectoryCorrupt: /);
      }
    }
  });

  test('a record cut short or with bytes behind it is found', () => {
    const bytes = encodeRecord('disk', examples.disk);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeRecord('disk', bytes.subarray(0, length))).toThrow(/DataDirectoryCorrupt/);
    }
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect(() => decodeRecord('disk', longer)).toThrow(/DataDirectoryCorrupt/);
  });

  test('a record of one kind is not accepted as another', () => {
    for (const kind of kinds) {
      for (const other of kinds) {
        if (other === kind) continue;
        const bytes = encodeRecord(kind, examples[kind]);
        expect(() => decodeAny(other, bytes)).toThrow(/DataDirectoryCorrupt.*kind/);
      }
    }
  });

  /** A record with a right checksum over whatever payload and head. */
  const forged = (payload: Uint8Array, version = 1, kind: RecordKind = 'counter'): Uint8Array => {
    const bytes = Buffer.alloc(10 + payload.length);
    bytes[0] = version;
    bytes[1] = KIND_NUMBERS[kind];
    bytes.writeUInt32LE(payload.length, 2);
    bytes.set(payload, 10);
    const sum = crc32(Buffer.concat([bytes.subarray(0, 6), payload]));
    bytes.writeUInt32LE(sum, 6);
    return bytes;
  };
  const packed = (value: unknown): Uint8Array => new Packr({ useRecords: false }).pack(value);

  test('a version from the future is refused as such', () => {
    expect(decodeRecord('counter', forged(packed({ count: 3 })))).toEqual({ count: 3 });
    expect(() => decodeRecord('counter', forged(packed({ count: 3 }), 2))).toThrow(
      expect.objectContaining({ code: 'DataDirectoryVersion' }),
    );
  });

  test('a payload of the wrong shape is refused, naming the field', () => {
    const wrong: [unknown, RegExp][] = [
      [{ count: -1 }, /count/],
      [{ count: 1.5 }, /count/],
      [{ count: '1' }, /count/],
      [{}, /count/],
      [{ count: 1, more: 1 }, /more/],
      [[1], /counter record/],
      [null, /counter record/],
      [7, /counter record/],
    ];
    for (const [payload, message] of wrong) {
      const decode = () => decodeRecord('counter', forged(packed(payload)));
      expect(decode).toThrow(/^DataDirectoryCorrupt/);
      expect(decode).toThrow(message);
    }
    const crafted = { ...examples.tombstone, id: 'd-../../etc/passwd00000' };
    expect(() => decodeRecord('tombstone', forged(packed(crafted), 1, 'tombstone'))).toThrow(
      /DataDirectoryCorrupt: tombstone record: id/,
    );
  });

  test('arbitrary bytes under a right checksum never get through as anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (payload) => {
        try {
          expect(decodeRecord('counter', forged(payload))).toEqual({
            count: expect.any(Number),
          });
        } catch (error) {
          expect(error).toMatchObject({ code: 'DataDirectoryCorrupt' });
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test('a decoded binary field does not change when the bytes it came from are reused', () => {
    const bytes = encodeRecord('disk', examples.disk);
    const decoded = decodeRecord('disk', bytes);
    bytes.fill(0xff);
    expect(decoded.encryption!.wrappedKey).toEqual(encryption.wrappedKey);
    expect(decoded.encryption!.wrappedKey.constructor).toBe(Uint8Array);
  });

  test('what could not be read back is not written', () => {
    expect(() => encodeRecord('counter', { count: -1 })).toThrow(InvariantError);
    const tooMuch = { count: 1, plaintextKey: 'x' };
    expect(() => encodeRecord('counter', tooMuch)).toThrow(InvariantError);
  });
});
