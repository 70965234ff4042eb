/**
 * What the writes of a loop carry where nothing verifies them: see PayloadKind.
 *
 * reducible, as fio: of each chunk of a buffer compressPercent are zeros, or the pattern, and the
 * rest is random; dedupePercent of the buffers are, as a whole, the buffer before.
 */
import { createPrng, type Prng } from '../base/prng.ts';
import type { PayloadKind } from './job-settings.ts';
import type { RequestSlot } from './request-slot.ts';

/** How far what is written can be compressed and deduplicated. */
export interface Reduction {
  /** 0 to 100. */
  readonly compressPercent: number;
  readonly chunkBytes: number;
  /** 0 to 100. */
  readonly dedupePercent: number;
}

const IRREDUCIBLE: Reduction = { compressPercent: 0, chunkBytes: 512, dedupePercent: 0 };

export class WriteContent {
  readonly #kind: PayloadKind;
  readonly #pattern: Uint8Array | null;
  readonly #reduction: Reduction;
  readonly #prng: Prng;
  #bufferSeed: number;
  #writes = 0;

  constructor(
    kind: PayloadKind,
    seed: number,
    pattern: Uint8Array | null = null,
    reduction: Reduction = IRREDUCIBLE,
  ) {
    this.#kind = kind;
    this.#pattern = pattern;
    this.#reduction = reduction;
    this.#prng = createPrng(seed);
    this.#bufferSeed = seed;
  }

  /** What a write buffer holds at first. */
  template(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    if (this.#kind === 'zero') return bytes;
    if (this.#pattern === null) this.#prng.fill(bytes);
    else this.#repeatPattern(bytes, 0, length);
    return bytes;
  }

  /** Fills the write buffer of a slot. */
  fill(slot: RequestSlot): void {
    this.#writes += 1;
    switch (this.#kind) {
      case 'scramble':
        slot.scramble(this.#writes);
        return;
      case 'refill':
        this.#prng.fill(slot.writeBytes());
        return;
      case 'reducible':
        this.#fillReducible(slot.writeBytes());
        return;
      case 'same':
      case 'zero':
        return;
    }
  }

  #fillReducible(bytes: Uint8Array): void {
    const { compressPercent, chunkBytes, dedupePercent } = this.#reduction;
    const isRepeated = this.#prng.nextFloat() * 100 < dedupePercent;
    if (!isRepeated) this.#bufferSeed = this.#prng.nextUint32();
    createPrng(this.#bufferSeed).fill(bytes);
    const plainBytes = Math.round((chunkBytes * (100 - compressPercent)) / 100);
    for (let start = 0; start < bytes.length; start += chunkBytes) {
      const end = Math.min(start + chunkBytes, bytes.length);
      const from = Math.min(start + plainBytes, end);
      if (this.#pattern === null) bytes.fill(0, from, end);
      else this.#repeatPattern(bytes, from, end);
    }
  }

  #repeatPattern(bytes: Uint8Array, from: number, to: number): void {
    const pattern = this.#pattern!;
    for (let at = from; at < to; at++) bytes[at] = pattern[(at - from) % pattern.length]!;
  }
}
