/**
 * Which write a unit of a disk was last written by: one 32-bit version for every 512 bytes, in
 * pages made when first touched.
 *
 * 1. A version counts the writes made to the disk, from 1. 0 is "reads as zeros".
 * 2. UNKNOWN_VERSION is "written by nobody here, or by a write that failed": nothing is promised.
 * 3. A page covers 4 MiB of disk and takes 32 KiB: 0.8 % of what was touched, whatever the disk's
 *    size and however small or overlapping the writes.
 */
import { invariant } from '../base/invariant.ts';

/** The grain of the model: the smallest sector a disk has ever had. */
export const UNIT_BYTES = 512;
export const ZEROS_VERSION = 0;
export const UNKNOWN_VERSION = 0xffffffff;

const PAGE_UNITS = 8192;

export class VersionMap {
  readonly #pages = new Map<number, Uint32Array>();
  readonly #initial: number;
  #lastVersion = ZEROS_VERSION;

  /** @param initial what holds for units never set: ZEROS_VERSION or UNKNOWN_VERSION */
  constructor(initial: typeof ZEROS_VERSION | typeof UNKNOWN_VERSION) {
    this.#initial = initial;
  }

  /** The version of the next write. */
  nextVersion(): number {
    this.#lastVersion += 1;
    invariant(this.#lastVersion < UNKNOWN_VERSION, 'versions fit 32 bits');
    return this.#lastVersion;
  }

  set(firstUnit: number, unitCount: number, version: number): void {
    this.#eachPage(firstUnit, unitCount, (pageNumber, start, _at, count) => {
      this.#pageToWrite(pageNumber).fill(version, start, start + count);
    });
  }

  /** Copies the versions of a range to target, from its index 0. */
  copyTo(firstUnit: number, unitCount: number, target: Uint32Array): void {
    this.#eachPage(firstUnit, unitCount, (pageNumber, start, at, count) => {
      const page = this.#pages.get(pageNumber);
      if (page === undefined) target.fill(this.#initial, at, at + count);
      else target.set(page.subarray(start, start + count), at);
    });
  }

  /** True if some unit of the range was written here. */
  isWritten(firstUnit: number, unitCount: number): boolean {
    let isWritten = false;
    this.#eachPage(firstUnit, unitCount, (pageNumber, start, _at, count) => {
      const page = this.#pages.get(pageNumber)?.subarray(start, start + count);
      isWritten ||=
        page?.some((each) => each !== ZEROS_VERSION && each !== UNKNOWN_VERSION) ?? false;
    });
    return isWritten;
  }

  #pageToWrite(pageNumber: number): Uint32Array {
    let page = this.#pages.get(pageNumber);
    if (page === undefined) {
      page = new Uint32Array(PAGE_UNITS).fill(this.#initial);
      this.#pages.set(pageNumber, page);
    }
    return page;
  }

  #eachPage(
    firstUnit: number,
    unitCount: number,
    visit: (pageNumber: number, start: number, at: number, count: number) => void,
  ): void {
    let at = 0;
    while (at < unitCount) {
      const unit = firstUnit + at;
      const start = unit % PAGE_UNITS;
      const count = Math.min(PAGE_UNITS - start, unitCount - at);
      visit((unit - start) / PAGE_UNITS, start, at, count);
      at += count;
    }
  }
}
