/**
 * Records as bytes. The only importer of msgpackr.
 *
 * Format, version 1:
 *
 *   offset  0  u8   version of this format: 1
 *           1  u8   kind of record, see KIND_NUMBERS in shapes.ts
 *           2  u32  length of the payload, little-endian
 *           6  u32  CRC-32 (zlib) of bytes 0 to 5 and of the payload, little-endian
 *          10  ...  payload: one MessagePack map, field name to value
 *
 * 1. Bytes are a record of the asked kind only if version, kind, length and CRC agree and the
 *    payload has the kind's shape, no field more or less. Everything else is DataDirectoryCorrupt
 *    (DataDirectoryVersion for a version from the future): it is never half accepted.
 * 2. The payload is plain MessagePack. msgpackr's own extension for repeated structures is off: it
 *    keeps a table beside the data, without which the data means nothing.
 * 3. A decoded binary field is a copy: the bytes it came from may be reused.
 *
 * The CRC finds accidents, not malice: the vault's records are authenticated as well, see
 * kms/sealed-record.ts.
 */
import { crc32 } from 'node:zlib';
import { Packr } from 'msgpackr';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { KIND_NUMBERS, type RecordKind, type Records, shapeProblem } from './shapes.ts';

const FORMAT_VERSION = 1;
const HEAD_BYTES = 10;
const CHECKED_HEAD_BYTES = 6;

const packr = new Packr({
  useRecords: false,
  moreTypes: false,
  mapsAsObjects: true,
  variableMapSize: true,
  copyBuffers: true,
  int64AsType: 'number',
});

/**
 * @param value copied in the call; must have the shape of its kind
 * @returns the record's bytes, the caller's
 * @throws InvariantError the value has not the shape of its kind
 */
export function encodeRecord<K extends RecordKind>(kind: K, value: Records[K]): Uint8Array {
  const problem = shapeProblem(kind, value);
  invariant(problem === null, `a ${kind} record is written as it is read: ${problem}`);
  const payload = packr.pack(value);
  const bytes = new Uint8Array(HEAD_BYTES + payload.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, FORMAT_VERSION);
  view.setUint8(1, KIND_NUMBERS[kind]);
  view.setUint32(2, payload.byteLength, true);
  bytes.set(payload, HEAD_BYTES);
  view.setUint32(CHECKED_HEAD_BYTES, checksum(bytes), true);
  return bytes;
}

/**
 * @param bytes borrowed for the call
 * @throws PlaneError DataDirectoryCorrupt, DataDirectoryVersion
 */
export function decodeRecord<K extends RecordKind>(kind: K, bytes: Uint8Array): Records[K] {
  if (bytes.byteLength < HEAD_BYTES) {
    throw corrupt(kind, `${bytes.byteLength} bytes are no record`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const payloadBytes = bytes.byteLength - HEAD_BYTES;
  if (view.getUint32(2, true) !== payloadBytes) {
    throw corrupt(kind, `length field ${view.getUint32(2, true)}, payload ${payloadBytes}`);
  }
  if (view.getUint32(CHECKED_HEAD_BYTES, true) !== checksum(bytes)) {
    throw corrupt(kind, 'the checksum does not match');
  }
  const version = view.getUint8(0);
  if (version !== FORMAT_VERSION) {
    const detail = `a ${kind} record has format version ${version}, expected ${FORMAT_VERSION}`;
    throw new PlaneError('DataDirectoryVersion', detail);
  }
  if (view.getUint8(1) !== KIND_NUMBERS[kind]) {
    throw corrupt(kind, `kind ${view.getUint8(1)}, expected ${KIND_NUMBERS[kind]}`);
  }
  const value = unpack(kind, bytes.subarray(HEAD_BYTES));
  const problem = shapeProblem(kind, value);
  if (problem !== null) throw corrupt(kind, problem);
  return value as Records[K];
}

function unpack(kind: RecordKind, payload: Uint8Array): unknown {
  try {
    return packr.unpack(payload);
  } catch {
    // msgpackr's message may quote the payload, so it goes nowhere.
    throw corrupt(kind, 'the payload is not MessagePack');
  }
}

function checksum(bytes: Uint8Array): number {
  const head = crc32(bytes.subarray(0, CHECKED_HEAD_BYTES));
  return crc32(bytes.subarray(HEAD_BYTES), head);
}

function corrupt(kind: RecordKind, detail: string): PlaneError {
  return new PlaneError('DataDirectoryCorrupt', `${kind} record: ${detail}`);
}
