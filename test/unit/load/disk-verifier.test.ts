import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { DiskVerifier, MismatchLog } from '../../../src/load/disk-verifier.ts';
import {
  createDigestContent,
  createPatternContent,
  createStampContent,
  isZeros,
  UNIT_WORDS,
  type UnitContent,
} from '../../../src/load/unit-content.ts';
import { UNKNOWN_VERSION } from '../../../src/load/version-map.ts';

const CONTENTS: readonly [string, (salt: number) => UnitContent][] = [
  ['stamp', createStampContent],
  ...(['crc32c', 'xxhash', 'md5', 'sha1', 'sha256', 'sha512', 'sha3-256'] as const).map(
    (name): [string, (salt: number) => UnitContent] => [
      name,
      (salt) => createDigestContent(name, salt),
    ],
  ),
];
const DISK_BYTES = 64 * 1024;

function verifierOf(content: UnitContent, isFresh = true, isStrict = true): DiskVerifier {
  return new DiskVerifier({ diskName: 'd', isFresh, isStrict, content });
}

/** A disk that does what it is told, and the words a request of it needs. */
function plainDisk(): {
  bytes: Uint8Array;
  words: (length: number) => Int32Array;
  write: (verifier: DiskVerifier, offset: number, length: number) => void;
  read: (verifier: DiskVerifier, offset: number, length: number, log: MismatchLog) => boolean;
} {
  const bytes = new Uint8Array(DISK_BYTES);
  return {
    bytes,
    words: (length) => new Int32Array(length / 4),
    write: (verifier, offset, length) => {
      const words = new Int32Array(length / 4);
      verifier.beforeWrite(offset, length, words);
      bytes.set(new Uint8Array(words.buffer), offset);
    },
    read: (verifier, offset, length, log) => {
      const expected = new Uint32Array(length / 512);
      verifier.beforeRead(offset, length, expected);
      const words = new Int32Array(bytes.slice(offset, offset + length).buffer);
      return verifier.afterRead(offset, length, words, expected, log);
    },
  };
}

describe.each(CONTENTS)('units of %s', (_name, create) => {
  const stamped = (unit: number, version: number, salt = 1): Int32Array => {
    const words = new Int32Array(UNIT_WORDS);
    create(salt).stamp(words, unit, 1, version);
    return words;
  };

  test('match their own unit and version, and no other', () => {
    const content = create(1);
    const words = stamped(7, 3);
    expect(content.matches(words, 0, 7, 3)).toBe(true);
    expect(content.matches(words, 0, 7, 2)).toBe(false);
    expect(content.matches(words, 0, 8, 3)).toBe(false);
    expect(create(2).matches(words, 0, 7, 3)).toBe(false);
    expect(content.matches(words, 0, 7 + 2 ** 32, 3)).toBe(false);
  });

  test('match an unknown version if they are whole and in their place', () => {
    expect(create(1).matches(stamped(7, 3), 0, 7, UNKNOWN_VERSION)).toBe(true);
    expect(create(1).matches(stamped(8, 3), 0, 7, UNKNOWN_VERSION)).toBe(false);
    expect(create(1).matches(new Int32Array(UNIT_WORDS), 0, 7, UNKNOWN_VERSION)).toBe(false);
  });

  test('any single flipped bit is seen', () => {
    const content = create(1);
    const words = stamped(2 ** 33 + 5, 0xfffffff0);
    for (let bit = 0; bit < UNIT_WORDS * 32; bit++) {
      words[bit >> 5]! ^= 1 << (bit & 31);
      expect(content.matches(words, 0, 2 ** 33 + 5, 0xfffffff0)).toBe(false);
      words[bit >> 5]! ^= 1 << (bit & 31);
    }
    expect(content.matches(words, 0, 2 ** 33 + 5, 0xfffffff0)).toBe(true);
  });

  test('are not judged by what stands beside them', () => {
    const content = create(1);
    const words = new Int32Array(3 * UNIT_WORDS);
    content.stamp(words, 10, 3, 4);
    words[0]! ^= 1;
    expect([0, 1, 2].map((at) => content.matches(words, at, 10 + at, 4))).toEqual([
      false,
      true,
      true,
    ]);
  });

  test('say what they look like', () => {
    const content = create(1);
    expect(content.describe(stamped(7, 3), 0, 7)).toBe('version 3');
    expect(content.describe(stamped(8, 3), 0, 7)).toBe('bytes of another place');
    expect(content.describe(new Int32Array(UNIT_WORDS), 0, 7)).toBe('zeros');
  });
});

describe('units of a pattern', () => {
  test('are the pattern, begun anew in each unit', () => {
    const content = createPatternContent(Uint8Array.of(1, 2, 3));
    const words = new Int32Array(2 * UNIT_WORDS);
    content.stamp(words, 0, 2, 1);
    expect([...new Uint8Array(words.buffer).subarray(510, 516)]).toEqual([1, 2, 1, 2, 3, 1]);
    expect(content.matches(words, 1, 99, UNKNOWN_VERSION)).toBe(true);
    words[200]! ^= 1;
    expect(content.matches(words, 1, 99, 1)).toBe(false);
    expect(content.describe(words, 1, 99)).toBe('not the pattern');
    expect(content.describe(new Int32Array(UNIT_WORDS), 0, 0)).toBe('zeros');
  });
});

test('zeros are zeros to the last bit', () => {
  const words = new Int32Array(2 * UNIT_WORDS);
  expect(isZeros(words, 1)).toBe(true);
  words[2 * UNIT_WORDS - 1] = 1 << 31;
  expect(isZeros(words, 1)).toBe(false);
  expect(isZeros(words, 0)).toBe(true);
});

describe.each(CONTENTS)('a verifier over %s', (_name, create) => {
  test('a right disk is right, whatever overlaps', () => {
    const request = fc.record({
      kind: fc.constantFrom('write', 'read', 'trim'),
      first: fc.integer({ min: 0, max: 127 }),
      count: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 60 }), (requests) => {
        const verifier = verifierOf(create(9));
        const disk = plainDisk();
        const log = new MismatchLog();
        for (const { kind, first, count } of requests) {
          const offset = first * 512;
          const length = Math.min(count * 512, DISK_BYTES - offset);
          if (kind === 'write') disk.write(verifier, offset, length);
          else if (kind === 'read') expect(disk.read(verifier, offset, length, log)).toBe(true);
          else {
            verifier.beforeTrim(offset, length);
            disk.bytes.fill(0, offset, offset + length);
          }
        }
        expect(disk.read(verifier, 0, DISK_BYTES, log)).toBe(true);
        expect(log.count).toBe(0);
        expect(log.uncheckedUnits).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test('a read is judged by what was written when it was made, not when it completes', () => {
    const verifier = verifierOf(create(9));
    const disk = plainDisk();
    const log = new MismatchLog();
    disk.write(verifier, 0, 4096);
    const expected = new Uint32Array(8);
    verifier.beforeRead(0, 4096, expected);
    const words = new Int32Array(disk.bytes.slice(0, 4096).buffer);
    disk.write(verifier, 512, 1024);
    expect(verifier.afterRead(0, 4096, words, expected, log)).toBe(true);
    verifier.beforeRead(0, 4096, expected);
    expect(verifier.afterRead(0, 4096, words, expected, log)).toBe(false);
    expect(log.first).toEqual([
      { diskName: 'd', offsetBytes: 512, expected: 'version 2', got: 'version 1' },
      { diskName: 'd', offsetBytes: 1024, expected: 'version 2', got: 'version 1' },
    ]);
  });

  test('what is wrong is said in words, ten times, and counted', () => {
    const verifier = verifierOf(create(9));
    const disk = plainDisk();
    const log = new MismatchLog();
    disk.write(verifier, 0, 2048);
    disk.bytes[100]! ^= 1;
    disk.bytes.fill(0, 512, 1024);
    disk.bytes.copyWithin(1024, 1536, 2048);
    disk.bytes[60_000] = 1;
    disk.read(verifier, 0, DISK_BYTES, log);
    expect(log.first.map(({ offsetBytes, expected, got }) => [offsetBytes, expected, got])).toEqual(
      [
        [0, 'version 1', 'version 1, damaged'],
        [512, 'version 1', 'zeros'],
        [1024, 'version 1', 'bytes of another place'],
        [59_904, 'zeros', 'bytes of another place'],
      ],
    );
    expect([log.count, log.checkedUnits]).toEqual([4, 128]);
    disk.bytes.fill(7);
    disk.read(verifier, 0, DISK_BYTES, log);
    expect([log.count, log.first.length]).toEqual([132, 10]);
  });
});

test('on a disk that was there before, the unwritten is unchecked, or must be whole', () => {
  const disk = plainDisk();
  const writer = verifierOf(createStampContent(9));
  disk.write(writer, 0, 1024);
  const [lax, strict] = [new MismatchLog(), new MismatchLog()];
  expect(disk.read(verifierOf(createStampContent(9), false, false), 0, 2048, lax)).toBe(true);
  expect([lax.checkedUnits, lax.uncheckedUnits]).toEqual([0, 4]);
  expect(disk.read(verifierOf(createStampContent(9), false, true), 0, 2048, strict)).toBe(false);
  expect(strict.first.map(({ expected, got }) => [expected, got])).toEqual([
    ['a whole unit', 'zeros'],
    ['a whole unit', 'zeros'],
  ]);
});

test('after a failed write either content is right', () => {
  const verifier = verifierOf(createStampContent(9), true, false);
  const disk = plainDisk();
  const log = new MismatchLog();
  disk.write(verifier, 0, 512);
  const before = disk.bytes.slice();
  disk.write(verifier, 0, 512);
  verifier.afterFailure(0, 512);
  expect(disk.read(verifier, 0, 512, log)).toBe(true);
  disk.bytes.set(before);
  expect(disk.read(verifier, 0, 512, log)).toBe(true);
  expect(verifier.isWritten(0, 512)).toBe(false);
});

test('requests of part units are a bug', () => {
  const verifier = verifierOf(createStampContent(9));
  expect(() => verifier.beforeTrim(100, 512)).toThrow('whole units');
  expect(() => verifier.isWritten(0, 100)).toThrow('whole units');
});

test('random bytes are never taken for content', () => {
  const words = new Int32Array(UNIT_WORDS);
  const prng = createPrng(4);
  for (let attempt = 0; attempt < 500; attempt++) {
    prng.fill(new Uint8Array(words.buffer));
    for (const [, create] of CONTENTS) {
      expect(create(1).matches(words, 0, attempt, UNKNOWN_VERSION)).toBe(false);
    }
  }
});
