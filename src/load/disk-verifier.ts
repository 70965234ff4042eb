/**
 * The independent model of one disk: what every read must return.
 *
 * 1. Requests take effect in the order they are made (TargetDisk), so what a read must return is
 *    known when it is made, whatever is in flight: versions are advanced when a write is made and
 *    taken down when a read is made, and the read is judged by those when it completes.
 * 2. The grain is 512 bytes, so overlapping and unaligned requests are exact.
 * 3. A unit never written reads as zeros on a fresh disk. On a disk that existed before, and after
 *    a write that failed, a unit must at least be whole and in its place if strict, else it is only
 *    counted as unchecked.
 *
 * It shares nothing with the disk it judges: no map, no cache, no code of the data plane.
 */
import { invariant } from '../base/invariant.ts';
import { isZeros, type UnitContent } from './unit-content.ts';
import { UNIT_BYTES, UNKNOWN_VERSION, VersionMap, ZEROS_VERSION } from './version-map.ts';

export interface Mismatch {
  readonly diskName: string;
  readonly offsetBytes: number;
  /** In words: zeros, version 7. */
  readonly expected: string;
  readonly got: string;
}

/** Mismatches kept word for word; the rest are counted. */
const MISMATCHES_KEPT = 10;

/** What the reads of one clone or one replay were found to be. */
export class MismatchLog {
  count = 0;
  checkedUnits = 0;
  uncheckedUnits = 0;
  readonly first: Mismatch[] = [];

  add(mismatch: Mismatch): void {
    this.count += 1;
    if (this.first.length < MISMATCHES_KEPT) this.first.push(mismatch);
  }
}

export interface VerifierOptions {
  readonly diskName: string;
  /** The disk was never written: unwritten units read as zeros. */
  readonly isFresh: boolean;
  /** Units of unknown version must be whole and in their place. */
  readonly isStrict: boolean;
  readonly content: UnitContent;
}

export class DiskVerifier {
  readonly #options: VerifierOptions;
  readonly #versions: VersionMap;

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#versions = new VersionMap(options.isFresh ? ZEROS_VERSION : UNKNOWN_VERSION);
  }

  /** Call as a write is made: fills the words of its buffer with what is to be written. */
  beforeWrite(offsetBytes: number, lengthBytes: number, words: Int32Array): void {
    const { firstUnit, unitCount } = unitsOf(offsetBytes, lengthBytes);
    const version = this.#versions.nextVersion();
    this.#versions.set(firstUnit, unitCount, version);
    this.#options.content.stamp(words, firstUnit, unitCount, version);
  }

  /** Call as a read is made: takes down what it must return, a version for each unit. */
  beforeRead(offsetBytes: number, lengthBytes: number, expected: Uint32Array): void {
    const { firstUnit, unitCount } = unitsOf(offsetBytes, lengthBytes);
    this.#versions.copyTo(firstUnit, unitCount, expected);
  }

  /** Call as a trim is made. */
  beforeTrim(offsetBytes: number, lengthBytes: number): void {
    const { firstUnit, unitCount } = unitsOf(offsetBytes, lengthBytes);
    this.#versions.set(firstUnit, unitCount, ZEROS_VERSION);
  }

  /** Call when a write or a trim failed: either content may be there. */
  afterFailure(offsetBytes: number, lengthBytes: number): void {
    const { firstUnit, unitCount } = unitsOf(offsetBytes, lengthBytes);
    this.#versions.set(firstUnit, unitCount, UNKNOWN_VERSION);
  }

  /** True if some of the range was written here: worth reading back. */
  isWritten(offsetBytes: number, lengthBytes: number): boolean {
    const { firstUnit, unitCount } = unitsOf(offsetBytes, lengthBytes);
    return this.#versions.isWritten(firstUnit, unitCount);
  }

  /**
   * Call when a read completed: judges what it returned.
   *
   * @param words what was read, from index 0
   * @param expected as beforeRead() left it
   * @param log told of what was checked and what was wrong
   * @returns true if every unit is right
   */
  afterRead(
    offsetBytes: number,
    lengthBytes: number,
    words: Int32Array,
    expected: Uint32Array,
    log: MismatchLog,
  ): boolean {
    const { firstUnit, unitCount } = unitsOf(offsetBytes, lengthBytes);
    const { content, isStrict } = this.#options;
    let isRight = true;
    for (let at = 0; at < unitCount; at++) {
      const version = expected[at]!;
      if (version === UNKNOWN_VERSION && !isStrict) {
        log.uncheckedUnits += 1;
        continue;
      }
      log.checkedUnits += 1;
      const isUnitRight =
        version === ZEROS_VERSION
          ? isZeros(words, at)
          : content.matches(words, at, firstUnit + at, version);
      if (isUnitRight) continue;
      isRight = false;
      this.#report(log, firstUnit + at, version, content.describe(words, at, firstUnit + at));
    }
    return isRight;
  }

  #report(log: MismatchLog, unit: number, version: number, found: string): void {
    const expected = describeVersion(version);
    log.add({
      diskName: this.#options.diskName,
      offsetBytes: unit * UNIT_BYTES,
      expected,
      got: found === expected ? `${found}, damaged` : found,
    });
  }
}

function describeVersion(version: number): string {
  if (version === ZEROS_VERSION) return 'zeros';
  return version === UNKNOWN_VERSION ? 'a whole unit' : `version ${version}`;
}

function unitsOf(
  offsetBytes: number,
  lengthBytes: number,
): { firstUnit: number; unitCount: number } {
  invariant(offsetBytes % UNIT_BYTES === 0 && lengthBytes % UNIT_BYTES === 0, 'whole units');
  return { firstUnit: offsetBytes / UNIT_BYTES, unitCount: lengthBytes / UNIT_BYTES };
}
