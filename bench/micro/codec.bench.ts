/** What it costs to make the record of an encrypted disk into bytes, and to read it back. */
import { decodeRecord, encodeRecord } from '../../src/record/codec.ts';
import { sampleDisk } from '../sample-records.ts';
import { measure } from './measure.ts';
import type { BenchRow } from './row.ts';

/** Records in one measured call. */
const RECORDS = 64;

const diskId = 'd-0123456789abcdefghij';
const encryption = {
  keyId: 'key-0123456789abcdefghij',
  wrappedKey: new Uint8Array(128).fill(7),
  accountId: '1234567890123456',
  regionId: 'cn-hangzhou',
  lineageId: diskId,
};
const disk = {
  ...sampleDisk(diskId),
  name: 'a disk with a name of ordinary length',
  encryption,
  layers: [{ tree: diskId, encryption }],
  sourceSnapshotId: 's-0123456789abcdefghij',
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
