/**
 * The naive baseline's thread: encrypts or decrypts one request, one cipher object per sector.
 *
 * What a straightforward program does, and what this project's data plane is measured against: the
 * key and the bytes come with every task, cloned, and go back cloned.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';

const SECTOR_BYTES = 4096;

export interface NaiveTask {
  readonly direction: 'encrypt' | 'decrypt';
  /** 64 bytes. */
  readonly key: Uint8Array;
  readonly firstSector: number;
  /** Whole sectors. */
  readonly bytes: Uint8Array;
}

/** @returns as many bytes as came */
export function naiveTask({ direction, key, firstSector, bytes }: NaiveTask): Uint8Array {
  const create = direction === 'encrypt' ? createCipheriv : createDecipheriv;
  const sectors: Buffer[] = [];
  for (let at = 0; at < bytes.byteLength; at += SECTOR_BYTES) {
    const tweak = Buffer.alloc(16);
    tweak.writeBigUInt64LE(BigInt(firstSector + at / SECTOR_BYTES));
    const cipher = create('aes-256-xts', key, tweak);
    sectors.push(cipher.update(bytes.subarray(at, at + SECTOR_BYTES)), cipher.final());
  }
  return Buffer.concat(sectors);
}
