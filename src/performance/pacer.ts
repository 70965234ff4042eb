/**
 * When a disk of a profile is done with a request: tokens for operations and for bytes, and a
 * latency on top. It has no clock and no chance of its own, so real and virtual time share it.
 *
 * Times are microseconds since any one moment, fractions and all. A rate is kept as the moment
 * until which it is used up ("busy until"): a request moves it on by its own cost.
 *
 *         busyUntil        start            busyUntil'              done
 *   ──────────|──────────────|──────────────────|────────────────────|─────▶ time
 *             now ──waits──▶ |◀──────cost──────▶|
 *                            |◀──────────latency, of the profile────▶|
 *
 * 1. A request starts when it has arrived and no rate of the disk is used up beyond that moment.
 *    So requests start in the order they arrive.
 * 2. What a disk does not use is kept for PACING_BUCKET_US. Once callers have had to wait it is
 *    kept for PACING_BUSY_BUCKET_US, until that is full: they ask again when they are answered, and
 *    in real time answers come late by what a busy machine takes. So in any time T a disk starts at
 *    most rate x (T + bucket) operations, and one more; bytes likewise.
 * 3. Nothing is shared between disks: none is slower because another is busy.
 * 4. A disk that may burst has the higher rates all the time (see profile.ts). What it starts
 *    beyond the others is counted.
 *
 * Of a flush no token is taken: the documents count reads and writes. A trim or a write of zeroes
 * is an operation without bytes.
 */
import { invariant } from '../base/invariant.ts';
import { PACING_BUCKET_US, PACING_BUSY_BUCKET_US } from '../limits.ts';
import type { BlockSizeLimit } from './figures.ts';
import { iopsAtBlockSize, type PerformanceProfile } from './profile.ts';

const MICROSECONDS = 1_000_000;

export class DiskPacer {
  /** When the last admitted request starts. */
  startedAt = 0;
  /** Operations that began beyond what the disk has without bursting. */
  burstOperations = 0;
  private perOperation = 0;
  private perByte = 0;
  private latencyLeast = 0;
  private latencyWidth = 0;
  private blockSizes: readonly BlockSizeLimit[] = [];
  private bursts = false;
  private perBaseOperation = 0;
  private perBaseByte = 0;
  private operationsUntil: number;
  private bytesUntil: number;
  private blocksUntil: number;
  private bucket = PACING_BUCKET_US;
  private readonly busyBucket: number;
  private baseOperationsUntil: number;
  private baseBytesUntil: number;

  /**
   * @param now an empty bucket's moment: nothing is saved up before it
   * @param busyBucket what is kept once callers had to wait; in virtual time nobody is late, and it
   *   is PACING_BUCKET_US there
   */
  constructor(profile: PerformanceProfile, now: number, busyBucket = PACING_BUSY_BUCKET_US) {
    this.busyBucket = busyBucket;
    this.operationsUntil = now;
    this.bytesUntil = now;
    this.blocksUntil = now;
    this.baseOperationsUntil = now;
    this.baseBytesUntil = now;
    this.change(profile);
  }

  /** The disk is another from the next request on; what it has admitted stays as it is. */
  change(profile: PerformanceProfile): void {
    const { iops, bytesPerSecond } = profile.burst ?? profile;
    invariant(iops > 0 && bytesPerSecond > 0, 'a disk does something');
    this.perOperation = MICROSECONDS / iops;
    this.perByte = MICROSECONDS / bytesPerSecond;
    this.bursts = profile.burst !== null;
    this.perBaseOperation = MICROSECONDS / profile.iops;
    this.perBaseByte = MICROSECONDS / profile.bytesPerSecond;
    this.blockSizes = profile.blockSizes;
    const { average, spread } = profile.latencyMicroseconds;
    this.latencyLeast = average - spread;
    this.latencyWidth = 2 * spread;
  }

  /**
   * A request arrives.
   *
   * @param now not before that of an earlier request
   * @param bytes it reads or writes; 0: an operation without bytes
   * @param chance in [0, 1): which of the latencies of the disk it meets
   * @returns when it is done; when it starts is in startedAt
   */
  admit(now: number, bytes: number, chance: number): number {
    let start = now;
    if (this.operationsUntil > start) start = this.operationsUntil;
    if (this.bytesUntil > start) start = this.bytesUntil;
    if (this.blocksUntil > start) start = this.blocksUntil;
    if (start > now) {
      this.bucket = this.busyBucket;
    } else if (this.busyUntil < start - this.bucket) {
      this.bucket = PACING_BUCKET_US;
    }
    const least = start - this.bucket;
    this.operationsUntil = Math.max(this.operationsUntil, least) + this.perOperation;
    this.bytesUntil = Math.max(this.bytesUntil, least) + bytes * this.perByte;
    if (this.blockSizes.length > 0 && bytes > 0) {
      const cost = MICROSECONDS / iopsAtBlockSize(this.blockSizes, bytes);
      this.blocksUntil = Math.max(this.blocksUntil, least) + cost;
    }
    if (this.bursts) this.countBurst(start, least, bytes);
    this.startedAt = start;
    return start + this.latencyLeast + this.latencyWidth * chance;
  }

  /** Of whichever rate is used up most: the one its callers wait for, if they do. */
  private get busyUntil(): number {
    return Math.max(this.operationsUntil, this.bytesUntil, this.blocksUntil);
  }

  /** A flush arrives. @returns when it is done, as far as the disk's rates are concerned */
  admitFlush(now: number, chance: number): number {
    this.startedAt = now;
    return now + this.latencyLeast + this.latencyWidth * chance;
  }

  /** A request the rates without bursting have room for uses them up; any other is counted. */
  private countBurst(start: number, least: number, bytes: number): void {
    if (this.baseOperationsUntil > start || this.baseBytesUntil > start) {
      this.burstOperations++;
      return;
    }
    this.baseOperationsUntil = Math.max(this.baseOperationsUntil, least) + this.perBaseOperation;
    this.baseBytesUntil = Math.max(this.baseBytesUntil, least) + bytes * this.perBaseByte;
  }
}
