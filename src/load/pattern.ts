/**
 * The requests of a job: which block of its region comes next, how long it is, whether it is read,
 * written or trimmed, and when it is due.
 *
 * 1. Everything but the time follows from the seed: the same clone gives the same requests on every
 *    run.
 * 2. Random offsets come without replacement, as with fio's random map: a pass begins a request at
 *    each block of the region exactly once, then another pass begins in another order. With
 *    norandommap, or a distribution other than random, each offset is drawn by itself.
 * 3. Sequential offsets go from the start of the region to its end and begin again, one position
 *    for each direction (fio: last_pos). What percentage_random leaves over goes on from there too.
 * 4. A mixed random workload has one order for both directions, so that a pass still visits each
 *    block once, unless the directions differ in block size or distribution: then each has its own.
 * 5. A request never passes the region's end: a random one is shortened, a sequential one begins
 *    again at the start.
 * 6. trimwrite trims a block, then writes it.
 */
import { invariant } from '../base/invariant.ts';
import { createPrng, type Prng } from '../base/prng.ts';
import { type BlockSizes, createSizeChooser } from './block-sizes.ts';
import { createDraw } from './distribution.ts';
import { DueTimer } from './due-timer.ts';
import type { ClonePlan } from './job-plan.ts';
import type { LoadDisk } from './load-disk.ts';
import {
  type Operation,
  type OperationSource,
  READ,
  SOURCE_END,
  SOURCE_READY,
  SOURCE_WAIT,
  type SourceAnswer,
  TRIM,
  WRITE,
} from './operation-source.ts';
import { isPaced, Pacer } from './pacing.ts';
import { createPermutation, type Permutation } from './permutation.ts';
import { StridedZones, zoneRange } from './strided-zones.ts';

/** Block numbers of a region, without end. */
export interface BlockOrder {
  next(): number;
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

/** One direction of a job. */
interface Lane {
  readonly sequentialLength: () => number;
  readonly randomLength: () => number;
  /** Offsets are multiples of this, from the region's start. */
  readonly gridBytes: number;
  readonly leastBytes: number;
  /** null: a sequential workload. */
  readonly order: BlockOrder | null;
  readonly randomPercent: number;
  /** Where the next sequential request begins, from the region's start. */
  position: number;
  /** Where the last request began. */
  lastStart: number;
  /** Requests left before the next random offset. */
  runLeft: number;
}

const OPERATIONS = { read: READ, write: WRITE, trim: TRIM } as const;
const DIRECTIONS = ['read', 'write', 'trim'] as const;

/** The requests of one clone of a job. Ends by bytes or requests. */
export class JobPattern implements OperationSource {
  operation: Operation;
  offsetBytes = 0;
  lengthBytes = 0;
  dueAtMs = 0;
  readonly disk: LoadDisk;
  readonly #clone: ClonePlan;
  readonly #lanes: readonly Lane[];
  readonly #mix: Prng | null;
  readonly #chance: Prng;
  readonly #pacer: Pacer | null;
  readonly #zones: StridedZones | null;
  readonly #bytesMax: number;
  readonly #requestsMax: number;
  #isChosen = false;
  #trimmedFirst = false;
  #bytesGiven = 0;
  #requestsGiven = 0;
  readonly #timer = new DueTimer();

  /**
   * @param endsBySize false for time_based: offsets begin again until the loop stops
   */
  constructor(clone: ClonePlan, disk: LoadDisk, endsBySize: boolean) {
    const { job, seed } = clone;
    const { workload } = job;
    this.disk = disk;
    this.#clone = clone;
    this.operation = OPERATIONS[workload.direction];
    this.#lanes = lanesOf(clone);
    this.#mix = workload.isMixed ? createPrng(seed ^ 0x6d69780a) : null;
    this.#chance = createPrng(seed ^ 0x70637472);
    this.#pacer = isPaced(job) ? new Pacer(job, createPrng(seed ^ 0x70616365)) : null;
    const least = Math.min(...this.#lanes.map(({ leastBytes }) => leastBytes));
    this.#zones =
      job.zones.sizeBytes === 0 ? null : new StridedZones(job.zones, clone.regionBytes, least);
    this.#bytesMax = endsBySize ? clone.transferBytes : Number.POSITIVE_INFINITY;
    this.#requestsMax = job.requestsMax === 0 ? Number.POSITIVE_INFINITY : job.requestsMax;
  }

  begin(nowMs: number): void {
    this.#pacer?.begin(nowMs);
  }

  /** Moves what is still due: time that does not count. */
  shift(milliseconds: number): void {
    this.#pacer?.shift(milliseconds);
  }

  next(): SourceAnswer {
    if (this.#bytesGiven >= this.#bytesMax || this.#requestsGiven >= this.#requestsMax) {
      return SOURCE_END;
    }
    if (!this.#isChosen) this.#choose();
    if (this.#pacer !== null && !this.#isDue(this.#pacer)) return SOURCE_WAIT;
    this.#isChosen = false;
    this.#place(this.#lanes[this.operation]!);
    this.#pacer?.give(this.operation, this.lengthBytes);
    this.#bytesGiven += this.#trimmedFirst ? 0 : this.lengthBytes;
    this.#requestsGiven += 1;
    return SOURCE_READY;
  }

  ready(): Promise<void> {
    invariant(this.#pacer !== null, 'a job pattern without a rate never waits');
    return this.#timer.wait(this.dueAtMs);
  }

  /** Forgets a wait in progress, so that its timer does not keep the process alive. */
  cancel(): void {
    this.#timer.cancel();
  }

  progress(): number {
    const share = Math.max(
      this.#bytesGiven / this.#bytesMax,
      this.#requestsGiven / this.#requestsMax,
    );
    return share === 0 && this.#bytesMax === Number.POSITIVE_INFINITY ? Number.NaN : share;
  }

  /** Which operation is next, whenever it is due. */
  #choose(): void {
    const { workload, readPercent } = this.#clone.job;
    this.#isChosen = true;
    if (workload.trimsFirst) {
      this.#trimmedFirst = !this.#trimmedFirst;
      this.operation = this.#trimmedFirst ? TRIM : WRITE;
    } else if (this.#mix !== null) {
      this.operation = this.#mix.nextBelow(100) < readPercent ? READ : WRITE;
    }
  }

  /**
   * True if the chosen operation is due. In a mix the other one is taken if it is due and the
   * chosen one is not (fio rate_ddir); if neither is, the earlier one is waited for.
   */
  #isDue(pacer: Pacer): boolean {
    const nowMs = performance.now();
    this.dueAtMs = pacer.dueAtMs(this.operation);
    if (this.dueAtMs <= nowMs) return true;
    if (this.#mix === null) return false;
    const other = this.operation === READ ? WRITE : READ;
    const otherDueAtMs = pacer.dueAtMs(other);
    if (otherDueAtMs >= this.dueAtMs || this.#isOneSided()) return false;
    this.operation = other;
    this.dueAtMs = otherDueAtMs;
    return otherDueAtMs <= nowMs;
  }

  #isOneSided(): boolean {
    const { readPercent } = this.#clone.job;
    return readPercent === 0 || readPercent === 100;
  }

  /** Sets offset and length of the next request of a lane. */
  #place(lane: Lane): void {
    const { job, regionOffset, regionBytes } = this.#clone;
    // The write of a trimmed block goes where the trim went.
    if (job.workload.trimsFirst && this.operation === WRITE) return;
    let start: number;
    this.#zones?.enter();
    const isRandom = this.#isRandom(lane);
    let lengthBytes = isRandom ? lane.randomLength() : lane.sequentialLength();
    if (isRandom) {
      start = lane.order!.next() * lane.gridBytes;
      if (this.#zones !== null) start = this.#zones.random(start, lane.gridBytes);
      if (start + lengthBytes > regionBytes) {
        const rest = regionBytes - start;
        lengthBytes = rest - (rest % lane.leastBytes);
      }
    } else if (job.repeatsOffset && job.randomRun > 1) {
      start = lane.lastStart;
      lengthBytes = Math.min(lengthBytes, regionBytes - start);
    } else {
      start = this.#sequential(lane, lengthBytes);
    }
    lane.lastStart = start;
    lane.position = start + lengthBytes;
    this.#zones?.give(lengthBytes);
    this.offsetBytes = regionOffset + start;
    this.lengthBytes = lengthBytes;
  }

  #isRandom(lane: Lane): boolean {
    if (lane.order === null) return false;
    if (lane.runLeft > 0) {
      lane.runLeft -= 1;
      return false;
    }
    lane.runLeft = this.#clone.job.randomRun - 1;
    return lane.randomPercent === 100 || this.#chance.nextBelow(100) < lane.randomPercent;
  }

  /** fio get_next_seq_offset: steps from the end of the request before, and wraps. */
  #sequential(lane: Lane, lengthBytes: number): number {
    const { job, regionBytes } = this.#clone;
    const step = job.sequentialStep;
    let start = lane.position;
    if (start === 0 && step < 0) start = regionBytes;
    if (start !== 0) start += step;
    if (start < 0) start = Math.max(0, regionBytes + step);
    if (this.#zones !== null) return this.#zones.sequential(start, lengthBytes);
    return start + lengthBytes > regionBytes ? 0 : start;
  }
}

/** bs_is_seq_rand: what is said of reads is of sequential requests, of writes, of random ones. */
function sizesOf(
  { blockSizes, sizesByOrder }: ClonePlan['job'],
  direction: (typeof DIRECTIONS)[number],
): { sequential: BlockSizes; random: BlockSizes } {
  const own = blockSizes[direction];
  if (!sizesByOrder) return { sequential: own, random: own };
  return { sequential: blockSizes.read, random: blockSizes.write };
}

/** The lanes, indexed by Operation. */
function lanesOf(clone: ClonePlan): Lane[] {
  const { job, regionBytes, seed } = clone;
  const lanes = DIRECTIONS.map((direction): Lane => {
    const operation = OPERATIONS[direction];
    const sizes = sizesOf(job, direction);
    const least = Math.min(sizes.sequential.least, sizes.random.least);
    const gridBytes = job.alignBytes?.[direction] ?? least;
    const laneSeed = (seed ^ (operation << 24)) >>> 0;
    const prng = createPrng(laneSeed ^ 0x73697a65);
    const lengths = (of: BlockSizes): (() => number) =>
      createSizeChooser(of, prng, job.hasOddLengths);
    return {
      sequentialLength: lengths(sizes.sequential),
      randomLength: lengths(sizes.random),
      gridBytes,
      // Any number of bytes will do to end a region where lengths are odd.
      leastBytes: job.hasOddLengths ? 1 : least,
      order: job.workload.isRandom ? orderOf(clone, direction, gridBytes, laneSeed) : null,
      randomPercent: job.randomPercent[direction],
      position: 0,
      lastStart: 0,
      runLeft: 0,
    };
  });
  const [read, write, trim] = lanes as [Lane, Lane, Lane];
  const isShared =
    read.gridBytes === write.gridBytes &&
    job.distribution.read.kind === 'random' &&
    job.distribution.write.kind === 'random';
  invariant(regionBytes >= read.leastBytes || job.workload.direction !== 'read', 'a block fits');
  return [read, isShared ? { ...write, order: read.order } : write, trim];
}

function orderOf(
  { job, regionBytes }: ClonePlan,
  direction: (typeof DIRECTIONS)[number],
  gridBytes: number,
  seed: number,
): BlockOrder {
  const { least } = sizesOf(job, direction).random;
  const range = zoneRange(job.zones, regionBytes);
  const count = Math.max(1, Math.floor((range - least) / gridBytes) + 1);
  const distribution = job.distribution[direction];
  if (distribution.kind !== 'random') {
    return { next: createDraw(distribution, count, gridBytes, createPrng(seed)) };
  }
  if (!job.hasRandomMap) return uniformOrder(count, createPrng(seed));
  return permutedOrder(count, seed);
}
