import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import { TIB } from '../../../src/base/units.ts';
import { decodeRecord, encodeRecord } from '../../../src/record/codec.ts';
import { shapeTest } from '../../../src/record/shape-check.ts';
import { KIND_NUMBERS, type RecordKind, type Records, SHAPES } from '../../../src/record/shapes.ts';

const diskId = 'd-abcdefghijklmnopqrst';
const snapshotId = 's-abcdefghijklmnopqrst';
const keyId = 'key-abcdefghijklmnopqrst';
const encryption = {
  keyId,
  wrappedKey: Uint8Array.from({ length: 90 }, (_, i) => i),
  accountId: '1234567890123456',
  regionId: 'cn-hangzhou',
  lineageId: diskId,
};
const scope = { accountId: '1234567890123456', regionId: 'cn-hangzhou' };
const owned = { ...scope, name: 'n', description: 'd', tags: { key: 'value' } };
const createdAt = 1_750_000_000_123;

/** One record of each kind, with the values that are hardest to keep. */
const examples: { [K in RecordKind]: Records[K] } = {
  disk: {
    ...scope,
    diskId,
    name: 'Ünïcode ☃ \u0000 名',
    sizeBytes: 64 * TIB,
    status: 'In_use',
    encryption,
    layers: [
      { tree: diskId, encryption },
      { tree: `${diskId}.1`, encryption: null },
    ],
    description: '',
    tags: {},
    zoneId: 'cn-hangzhou-a',
    category: 'cloud_essd',
    performanceLevel: 'PL1',
    provisionedIops: 0,
    burstingEnabled: false,
    type: 'data',
    imageId: null,
    instanceId: null,
    device: '',
    deleteWithInstance: false,
    deleteAutoSnapshot: false,
    enableAutoSnapshot: false,
    attachedAt: null,
    detachedAt: null,
    sourceSnapshotId: null,
    shardIndex: 0,
    createdAt,
  },
  snapshot: {
    ...scope,
    snapshotId,
    name: '',
    sourceDiskId: diskId,
    sizeBytes: 2 ** 30,
    status: 'accomplished',
    encryption: null,
    layers: [{ tree: snapshotId, encryption: null }],
    description: '',
    tags: {},
    sourceDiskType: 'system',
    sourceSnapshotId: snapshotId,
    sourceRegionId: 'cn-beijing',
    retentionDays: 30,
    shardIndex: 63,
    createdAt: 0,
  },
  tombstone: {
    ...scope,
    id: snapshotId,
    kind: 'snapshot',
    name: 'Ü',
    createdAt,
    deletedAt: createdAt,
    keys: [{ keyId, version: 3, lineageId: diskId }, null],
  },
  usage: { ...scope, month: '2026-01', keyId, operation: 'AttachDisk', calls: 1 },
  counter: { count: 2 ** 40 },
  vaultCheck: { createdAt },
  masterKey: {
    ...scope,
    keyId,
    state: 'PendingDeletion',
    origin: 'EXTERNAL',
    protectionLevel: 'HSM',
    isServiceKey: false,
    description: 'd'.repeat(300),
    primaryVersion: 10_000,
    createdAt,
    deletionAt: createdAt + 1,
    hasMaterial: true,
    materialExpiresAt: createdAt + 2,
    lastRotationAt: createdAt,
    rotationIntervalMs: 604_800_000,
    isDeletionProtected: true,
    deletionProtectionDescription: '☃',
    tags: [{ key: 'acs:ecs:disk-encryption', value: 'true' }],
  },
  keyVersion: { ...scope, keyId, version: 1, createdAt, wrapsReserved: 2 ** 32 },
  keyAlias: { ...scope, keyId, aliasName: 'alias/disks' },
  importedMaterial: { ...scope, keyId, fingerprint: new Uint8Array(32), wrapsReserved: 0 },
  importParameters: {
    ...scope,
    keyId,
    tokenId: '00ff',
    wrappingAlgorithm: 'RSAES_OAEP_SHA_256',
    expiresAt: createdAt,
  },
  importToken: {
    ...scope,
    keyId,
    tokenId: '00ff',
    wrappingAlgorithm: 'RSAES_PKCS1_V1_5',
    expiresAt: createdAt,
  },
  kmsAccount: { ...scope, status: 'Index' },
  account: {
    accountId: scope.accountId,
    name: '',
    users: [{ name: 'u', policies: ['AliyunECSFullAccess'] }],
    roles: ['AliyunECSDiskEncryptDefaultRole'],
    isDefaultEncryptionGranted: true,
    createdAt,
  },
  region: { ...scope, isDefaultEncryptionOn: true, defaultKeyId: null },
  image: {
    ...owned,
    createdAt,
    imageId: 'm-abcdefghijklmnopqrst',
    family: '',
    status: 'Available',
    devices: [{ device: '/dev/xvda', type: 'system', sizeBytes: 2 ** 30, snapshotId }],
    sourceInstanceId: null,
    sourceImageId: null,
    sourceRegionId: null,
    platform: 'Aliyun',
    osType: 'linux',
    architecture: 'x86_64',
    sharedWith: ['1'],
    isPublic: false,
  },
  instance: {
    ...owned,
    createdAt,
    instanceId: 'i-abcdefghijklmnopqrst',
    zoneId: 'cn-hangzhou-a',
    instanceType: 'ecs.g7.large',
    imageId: 'm-abcdefghijklmnopqrst',
    status: 'Running',
    hostName: '',
    deletionProtection: false,
    startedAt: createdAt,
  },
  share: {
    ...scope,
    snapshotId,
    sourceSnapshotId: snapshotId,
    ownerAccountId: '2',
    sharedAt: createdAt,
  },
  task: {
    ...scope,
    taskId: 't-abcdefghijklmnopqrst',
    groupId: '',
    action: 'reencrypt',
    resourceId: diskId,
    state: 'paused',
    code: 'Rejected.Disabled',
    doneSectors: 1,
    totalSectors: 2 ** 34,
    bytesPerSecond: 0,
    createdAt,
    finishedAt: null,
  },
  token: {
    accountId: scope.accountId,
    token: 'a token/with a slash',
    verb: 'CreateDisk',
    parametersHash: '00',
    result: '{}',
    created: [],
    createdAt,
  },
  audit: {
    ...scope,
    sequence: 1,
    at: createdAt,
    principal: 'root',
    action: 'CreateDisk',
    resourceIds: [diskId],
    keyId,
    keyVersion: 1,
    outcome: 'OK',
    reason: '',
  },
};
const kinds = Object.keys(examples) as RecordKind[];

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

  test('the compiled test of a shape and valibot agree, whatever is put at any place', () => {
    const odd = [undefined, null, Number.NaN, -1, 0, 1.5, 2 ** 53, '', 'x', [], [1], {}, true];
    for (const kind of kinds) {
      const isOfShape = shapeTest(SHAPES[kind]);
      const agree = (value: unknown): void => {
        const { success } = v.safeParse<v.GenericSchema>(SHAPES[kind], value);
        expect(isOfShape(value), `${kind} ${JSON.stringify(value)}`).toBe(success);
      };
      for (const value of [examples[kind], ...odd]) agree(value);
      /** Each thing inside replaced, left out, and given a field more. */
      const vary = (value: unknown, put: (varied: unknown) => unknown): void => {
        for (const each of odd) agree(put(each));
        if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
        if (Array.isArray(value)) {
          for (const [at, item] of value.entries()) {
            vary(item, (varied) => put(value.with(at, varied)));
          }
          return;
        }
        agree(put({ ...value, more: 1 }));
        for (const [name, field] of Object.entries(value)) {
          const { [name]: _, ...others } = value as Record<string, unknown>;
          agree(put(others));
          vary(field, (varied) => put({ ...value, [name]: varied }));
        }
      };
      vary(examples[kind], (varied) => varied);
    }
  });

  test('a schema the compiled test knows nothing of is left to valibot', () => {
    const isEven = shapeTest(v.pipe(v.number(), v.multipleOf(2)));
    expect([2, 3, '2'].map(isEven)).toEqual([true, false, false]);
    const isPair = shapeTest(v.tuple([v.string(), v.number()]));
    expect([['a', 1], ['a']].map(isPair)).toEqual([true, false]);
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
