/**
 * Sources that go once over ranges of a disk, in order: laying a disk out before it is read, and
 * reading back what a job wrote.
 */
import { invariant } from '../base/invariant.ts';
import type { LoadDisk } from './load-disk.ts';
import {
  type OperationSource,
  READ,
  SOURCE_END,
  SOURCE_READY,
  type SourceAnswer,
  type WRITE,
} from './operation-source.ts';

/** Bytes [startBytes, endBytes) of a disk. */
export interface DiskRange {
  readonly startBytes: number;
  readonly endBytes: number;
}

/** Ranges in order, with those that touch or overlap joined. */
export function joinRanges(ranges: readonly DiskRange[]): DiskRange[] {
  const joined: DiskRange[] = [];
  for (const range of [...ranges].sort((left, right) => left.startBytes - right.startBytes)) {
    const last = joined.at(-1);
    if (last === undefined || range.startBytes > last.endBytes) {
      joined.push(range);
      continue;
    }
    const endBytes = Math.max(last.endBytes, range.endBytes);
    joined[joined.length - 1] = { startBytes: last.startBytes, endBytes };
  }
  return joined;
}

/** Goes over ranges in steps of blockBytes; the last step of a range may be shorter. */
export class RangeWalk implements OperationSource {
  readonly operation: typeof READ | typeof WRITE;
  offsetBytes = 0;
  lengthBytes = 0;
  readonly disk: LoadDisk;
  readonly dueAtMs = 0;
  readonly #ranges: readonly DiskRange[];
  readonly #blockBytes: number;
  /** What is passed over; null: nothing is. */
  readonly #isWanted: ((offsetBytes: number, lengthBytes: number) => boolean) | null;
  readonly #totalBytes: number;
  #rangeIndex = 0;
  #nextBytes: number;
  #walkedBytes = 0;

  constructor(
    operation: typeof READ | typeof WRITE,
    disk: LoadDisk,
    ranges: readonly DiskRange[],
    blockBytes: number,
    isWanted: ((offsetBytes: number, lengthBytes: number) => boolean) | null = null,
  ) {
    this.operation = operation;
    this.disk = disk;
    this.#ranges = ranges;
    this.#blockBytes = blockBytes;
    this.#isWanted = isWanted;
    this.#nextBytes = ranges[0]?.startBytes ?? 0;
    this.#totalBytes = ranges.reduce((sum, range) => sum + range.endBytes - range.startBytes, 0);
  }

  next(): SourceAnswer {
    for (;;) {
      const range = this.#ranges[this.#rangeIndex];
      if (range === undefined) return SOURCE_END;
      if (this.#nextBytes >= range.endBytes) {
        this.#rangeIndex += 1;
        this.#nextBytes = this.#ranges[this.#rangeIndex]?.startBytes ?? 0;
        continue;
      }
      this.offsetBytes = this.#nextBytes;
      this.lengthBytes = Math.min(this.#blockBytes, range.endBytes - this.#nextBytes);
      this.#nextBytes += this.lengthBytes;
      this.#walkedBytes += this.lengthBytes;
      if (this.#isWanted?.(this.offsetBytes, this.lengthBytes) ?? true) return SOURCE_READY;
    }
  }

  ready(): Promise<void> {
    invariant(false, 'a walk never waits');
  }

  progress(): number {
    return this.#totalBytes === 0 ? 1 : this.#walkedBytes / this.#totalBytes;
  }
}

/**
 * Reading back what was written in a range.
 *
 * @param disk must have a verifier
 */
export function readBackWalk(disk: LoadDisk, range: DiskRange, blockBytes: number): RangeWalk {
  const { verifier } = disk;
  invariant(verifier !== null, 'only a verified disk is read back');
  return new RangeWalk(READ, disk, [range], blockBytes, (offsetBytes, lengthBytes) =>
    verifier.isWritten(offsetBytes, lengthBytes),
  );
}
