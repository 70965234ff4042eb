/**
 * What the request loop is fed with: one operation at a time, described in fields.
 *
 * The fields are overwritten by every next(), so that a source makes no garbage however many
 * operations it gives; the loop copies what it needs before it asks again.
 */
import type { LoadDisk } from './load-disk.ts';

/** What is done to a disk. The numbers index statistics. */
export const READ = 0;
export const WRITE = 1;
export const TRIM = 2;
export const FLUSH = 3;
export type Operation = typeof READ | typeof WRITE | typeof TRIM | typeof FLUSH;

/** Answers of next(). */
export const SOURCE_READY = 0;
/** Nothing to give just now: wait for ready(). */
export const SOURCE_WAIT = 1;
/** Nothing to give ever again. */
export const SOURCE_END = 2;
export type SourceAnswer = typeof SOURCE_READY | typeof SOURCE_WAIT | typeof SOURCE_END;

export interface OperationSource {
  /** The operation next() described. Valid after SOURCE_READY until the next call. */
  readonly operation: Operation;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly disk: LoadDisk;
  /** When the operation should begin, on performance.now()'s clock; 0: whenever there is room. */
  readonly dueAtMs: number;
  /** Called once, as the loop that is fed begins. Absent: the source does not mind. */
  begin?(nowMs: number): void;
  /** Called when the loop ends: a wait in progress is not needed any more. */
  cancel?(): void;
  /** Moves what is still due: time that does not count. */
  shift?(milliseconds: number): void;
  /** Steps to the next operation. */
  next(): SourceAnswer;
  /** Resolves when next() may have something again. Called only after SOURCE_WAIT. */
  ready(): Promise<void>;
  /** Share of the work given out, 0 to 1; NaN if the end is not known. */
  progress(): number;
}
