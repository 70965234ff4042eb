/**
 * Ids of disks, snapshots, images, instances, tasks and master keys: made, and recognised.
 *
 *   disk  d-<20>     snapshot  s-<20>     image  m-<20>      <20> = 20 characters of [a-z0-9]
 *   instance  i-<20>     task  t-<20>     master key  key-<20>
 *
 * Form of the cloud's own ids without the region infix; 20 characters of 36 hold 103 bits, so an id
 * drawn at random is not drawn twice. An id from outside is recognised here before it becomes a
 * store key, a tree name or part of an error message.
 */
import { invariant } from '../base/invariant.ts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
const RANDOM_CHARS = 20;
/** Bytes from here on would make the first letters of the alphabet likelier: they are not used. */
const FAIR_BYTES = 256 - (256 % ALPHABET.length);

/** A source of unpredictable bytes; node:crypto's outside tests. */
export type RandomBytes = (byteCount: number) => Uint8Array;

export const KEY_ID_CHARS: number = 'key-'.length + RANDOM_CHARS;

export function makeDiskId(randomBytes: RandomBytes): string {
  return `d-${randomName(randomBytes)}`;
}

export function makeSnapshotId(randomBytes: RandomBytes): string {
  return `s-${randomName(randomBytes)}`;
}

export function makeImageId(randomBytes: RandomBytes): string {
  return `m-${randomName(randomBytes)}`;
}

export function makeInstanceId(randomBytes: RandomBytes): string {
  return `i-${randomName(randomBytes)}`;
}

export function makeTaskId(randomBytes: RandomBytes): string {
  return `t-${randomName(randomBytes)}`;
}

export function makeKeyId(randomBytes: RandomBytes): string {
  return `key-${randomName(randomBytes)}`;
}

export function isDiskId(text: string): boolean {
  return /^d-[a-z0-9]{20}$/.test(text);
}

export function isSnapshotId(text: string): boolean {
  return /^s-[a-z0-9]{20}$/.test(text);
}

export function isImageId(text: string): boolean {
  return /^m-[a-z0-9]{20}$/.test(text);
}

export function isInstanceId(text: string): boolean {
  return /^i-[a-z0-9]{20}$/.test(text);
}

export function isTaskId(text: string): boolean {
  return /^t-[a-z0-9]{20}$/.test(text);
}

export function isKeyId(text: string): boolean {
  return /^key-[a-z0-9]{20}$/.test(text);
}

/**
 * Where an image is exported to: <bucket>/<prefix><imageId>.raw. Bucket names are those of object
 * storage: 3 to 63 of a-z, 0-9 and -, none at an end; a prefix is up to 30 letters and digits.
 */
export function isExportDestination(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]\/[A-Za-z0-9]{0,30}m-[a-z0-9]{20}\.raw$/.test(text);
}

/** Ids that lineage edges are between: disks, snapshots and shares of them, images, instances. */
export function isLineageId(text: string): boolean {
  return /^[dsmi]-[a-z0-9]{20}$/.test(text);
}

/** Account and region ids, which are given to a plane by its owner: 16 digits, cn-hangzhou. */
export function isScopeId(text: string): boolean {
  return /^[a-z0-9-]{1,32}$/.test(text);
}

function randomName(randomBytes: RandomBytes): string {
  let name = '';
  // 252 of 256 bytes are used, so a few draws are enough unless the source is broken.
  for (let draw = 0; draw < 100; draw++) {
    for (const byte of randomBytes(RANDOM_CHARS)) {
      if (byte < FAIR_BYTES) name += ALPHABET[byte % ALPHABET.length];
      if (name.length === RANDOM_CHARS) return name;
    }
  }
  invariant(false, 'a random source gives bytes below 252');
}
