/**
 * Vectors of AES-256-XTS as the suite uses them: our own (test/vectors/, made with GNU nettle) and,
 * where they lie beside the repository, published ones (IEEE 1619, NIST CAVP, Wycheproof).
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

export interface XtsVector {
  readonly id: string;
  readonly key: Buffer;
  readonly tweak: Buffer;
  readonly plaintext: Buffer;
  /** Some of the first bytes, or all, of the ciphertext. */
  readonly ciphertextStart: Buffer;
  readonly ciphertextSha256: string;
}

interface OwnVectors {
  readonly vectors: readonly {
    readonly id: string;
    readonly key: string;
    readonly tweak: string;
    readonly dataUnitBytes: number;
    readonly plaintextLabel: string;
    readonly ciphertextStart: string;
    readonly ciphertextSha256: string;
  }[];
}

interface PublishedVectors {
  readonly xtsAes256: readonly {
    readonly id: string;
    readonly key1: string;
    readonly key2: string;
    readonly tweak: string;
    readonly plaintext: string;
    readonly ciphertext: string;
  }[];
}

export interface GoldenImage {
  readonly dataKey: string;
  readonly plaintextLabel: string;
  readonly firstSector: number;
  readonly sectorCount: number;
  readonly ciphertextSha256: string;
}

const OWN = new URL('../vectors/', import.meta.url);
const PUBLISHED = new URL('../../../shared/facts/crypto-vectors.json', import.meta.url);

function readJson(url: URL): unknown {
  return JSON.parse(readFileSync(url, 'utf8'));
}

/** The bytes a label stands for in test/vectors/: SHA-512 in counter mode. */
export function labelledBytes(label: string, byteCount: number): Buffer {
  const digests: Buffer[] = [];
  for (let counter = 0; counter * 64 < byteCount; counter++) {
    digests.push(createHash('sha512').update(`${label} ${counter}`).digest());
  }
  return Buffer.concat(digests).subarray(0, byteCount);
}

export function ownVectors(): XtsVector[] {
  const { vectors } = readJson(new URL('xts-aes-256.json', OWN)) as OwnVectors;
  return vectors.map((vector) => ({
    id: vector.id,
    key: Buffer.from(vector.key, 'hex'),
    tweak: Buffer.from(vector.tweak, 'hex'),
    plaintext: labelledBytes(vector.plaintextLabel, vector.dataUnitBytes),
    ciphertextStart: Buffer.from(vector.ciphertextStart, 'hex'),
    ciphertextSha256: vector.ciphertextSha256,
  }));
}

/** Null where the file is absent. */
export function publishedVectors(): XtsVector[] | null {
  if (!existsSync(PUBLISHED)) return null;
  const { xtsAes256 } = readJson(PUBLISHED) as PublishedVectors;
  return xtsAes256.map((vector) => ({
    id: vector.id,
    key: Buffer.from(vector.key1 + vector.key2, 'hex'),
    tweak: Buffer.from(vector.tweak, 'hex'),
    plaintext: Buffer.from(vector.plaintext, 'hex'),
    ciphertextStart: Buffer.from(vector.ciphertext, 'hex'),
    ciphertextSha256: createHash('sha256')
      .update(Buffer.from(vector.ciphertext, 'hex'))
      .digest('hex'),
  }));
}

export function goldenImage(): GoldenImage {
  return readJson(new URL('golden-image.json', OWN)) as GoldenImage;
}
