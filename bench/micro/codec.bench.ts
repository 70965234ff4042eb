/** What it costs to make the record of an encrypted disk into bytes, and to read it back. */
import { decodeRecord, encodeRecord } from '../../src/record/codec.ts';
import type { DiskRecord } from '../../src/record/resource.ts';
import { measure } from './measure.ts';
import type { BenchRow } from './row.ts';

/** Records in one measured call. */
const RECORDS = 64;

const encryption = {
  keyId: 'key-0123456789abcdefghij',
  wrappedKey: new Uint8Array(128).fill(7),
  accountId: 'account',
  regionId: 'region',
  lineageId: 'd-0123456789abcdefghij',
};
const disk: DiskRecord = {
  diskId: 'd-0123456789abcdefghij',
  accountId: 'account',
  regionId: 'region',
  name: 'a disk with a name of ordinary length',
  sizeBytes: 2 ** 40,
  status: 'Available',
  encryption,
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
  layers: [{ tree: 'd-0123456789abcdefghij', encryption }],
  sourceSnapshotId: 's-0123456789abcdefghij',
  shardIndex: 1,
  createdAt: 1_700_000_000_000,
};

/** @param isSmoke true: only long enough to see that everything runs */
export async function codec(isSmoke: boolean): Promise<BenchRow[]> {
  const bytes = encodeRecord('disk', disk);
  const encode = (): void => {
    for (let n = 0; n < RECORDS; n++) encodeRecord('disk', disk);
  };
  const decode = (): void => {
    for (let n = 0; n < RECORDS; n++) decodeRecord('disk', bytes);
  };
  return measure(
    [
      { name: 'encode a disk record', operations: RECORDS, bytes: null, call: encode },
      { name: 'decode a disk record', operations: RECORDS, bytes: null, call: decode },
    ],
    isSmoke,
  );
}
