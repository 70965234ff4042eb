/**
 * The offsets of a job: which block of its region comes next, and whether it is read or written.
 *
 * 1. Everything follows from the seed: the same clone gives the same operations on every run.
 * 2. Random offsets come without replacement, as with fio's random map: a pass visits each block of
 *    the region exactly once, then another pass begins in another order. With norandommap each
 *    offset is drawn by itself.
 * 3. Sequential offsets go from the start of the region to its end and begin again. In a mixed
 *    sequential workload reads and writes have a position each (fio: last_pos per direction).
 * 4. A mixed random workload has one order for both directions, so that a pass still visits each
 *    block once, unless the directions differ in block size: then each has an order of its own over
 *    blocks of its own size.
 */
import { invariant } from '../base/invariant.ts';
import { createPrng, type Prng } from '../base/prng.ts';
import type { ClonePlan } from './job-plan.ts';
import type { LoadDisk } from './load-disk.ts';
import {
  type Operation,
  type OperationSource,
  READ,
  SOURCE_END,
  SOURCE_READY,
  type SourceAnswer,
  TRIM,
  WRITE,
} from './operation-source.ts';
import { createPermutation, type Permutation } from './permutation.ts';

/** Block numbers of a region, without end. */
export interface BlockOrder {
  next(): number;
}

/** 0, 1, .. count-1, 0, 1, .. */
export function sequentialOrder(count: number): BlockOrder {
  let block = count - 1;
  return {
    next: () => {
      block = block + 1 === count ? 0 : block + 1;
      return block;
    },
  };
}

/** Each of 0..count-1 once in random order, then each once in another. */
export function permutedOrder(count: number, seed: number): BlockOrder {
  let pass = 0;
  let position = count;
  let permutation: Permutation | null = null;
  return {
    next: () => {
      if (position === count || permutation === null) {
        permutation = createPermutation(count, (seed + Math.imul(pass, 0x9e3779b9)) >>> 0);
        position = 0;
        pass += 1;
      }
      return permutation(position++);
    },
  };
}

/** Uniform over 0..count-1, each drawn by itself. */
export function uniformOrder(count: number, prng: Prng): BlockOrder {
  return { next: () => prng.nextBelow(count) };
}

/** The operations of one clone of a job. Ends by bytes or requests; never waits. */
export class JobPattern implements OperationSource {
  operation: Operation;
  offsetBytes = 0;
  lengthBytes: number;
  readonly dueAtMs = 0;
  readonly disk: LoadDisk;
  readonly #regionOffset: number;
  readonly #blockBytes: readonly number[];
  readonly #orders: readonly BlockOrder[];
  readonly #mix: Prng | null;
  readonly #readPercent: number;
  readonly #bytesMax: number;
  readonly #requestsMax: number;
  #bytesGiven = 0;
  #requestsGiven = 0;

  /**
   * @param endsBySize false for time_based: offsets begin again until the loop stops
   */
  constructor(clone: ClonePlan, disk: LoadDisk, endsBySize: boolean) {
    const { job } = clone;
    const { workload, blockBytes } = job;
    this.disk = disk;
    this.operation = { read: READ, write: WRITE, trim: TRIM }[workload.direction] as Operation;
    this.#regionOffset = clone.regionOffset;
    this.#blockBytes = [blockBytes.read, blockBytes.write, blockBytes.trim];
    this.lengthBytes = this.#blockBytes[this.operation]!;
    this.#orders = ordersOf(clone, this.#blockBytes);
    this.#mix = workload.isMixed ? createPrng(clone.seed ^ 0x6d69780a) : null;
    this.#readPercent = job.readPercent;
    this.#bytesMax = endsBySize ? clone.transferBytes : Number.POSITIVE_INFINITY;
    this.#requestsMax = job.requestsMax === 0 ? Number.POSITIVE_INFINITY : job.requestsMax;
  }

  next(): SourceAnswer {
    if (this.#bytesGiven >= this.#bytesMax || this.#requestsGiven >= this.#requestsMax) {
      return SOURCE_END;
    }
    if (this.#mix !== null) {
      this.operation = this.#mix.nextBelow(100) < this.#readPercent ? READ : WRITE;
      this.lengthBytes = this.#blockBytes[this.operation]!;
    }
    const block = this.#orders[this.operation]!.next();
    this.offsetBytes = this.#regionOffset + block * this.lengthBytes;
    this.#bytesGiven += this.lengthBytes;
    this.#requestsGiven += 1;
    return SOURCE_READY;
  }

  ready(): Promise<void> {
    invariant(false, 'a job pattern never waits');
  }

  progress(): number {
    const share = Math.max(
      this.#bytesGiven / this.#bytesMax,
      this.#requestsGiven / this.#requestsMax,
    );
    return share === 0 && this.#bytesMax === Number.POSITIVE_INFINITY ? Number.NaN : share;
  }
}

/** The order of each direction, indexed by Operation. */
function ordersOf(clone: ClonePlan, blockBytes: readonly number[]): BlockOrder[] {
  const { job, regionBytes, seed } = clone;
  const orderFor = (operation: number): BlockOrder => {
    const count = Math.max(1, Math.floor(regionBytes / blockBytes[operation]!));
    if (!job.workload.isRandom) return sequentialOrder(count);
    const orderSeed = (seed ^ (operation << 24)) >>> 0;
    if (!job.hasRandomMap) return uniformOrder(count, createPrng(orderSeed));
    return permutedOrder(count, orderSeed);
  };
  const read = orderFor(READ);
  const isShared = job.workload.isRandom && blockBytes[READ] === blockBytes[WRITE];
  return [read, isShared ? read : orderFor(WRITE), orderFor(TRIM)];
}
