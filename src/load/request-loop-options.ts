/** What a request loop is told, and how it says it ended. */
import type { MismatchLog } from './disk-verifier.ts';
import type { PayloadKind } from './job-settings.ts';
import type { DepthSearch } from './latency-target.ts';
import type { LoadStats } from './load-stats.ts';
import type { OperationSource } from './operation-source.ts';
import type { RequestLog } from './request-log.ts';

export interface RequestLoopOptions {
  readonly source: OperationSource;
  readonly depth: number;
  readonly stats: LoadStats;
  readonly log: MismatchLog;
  readonly payload: PayloadKind;
  /** Of the bytes written. */
  readonly seed: number;
  /** Buffers start at this size and grow to the longest request. */
  readonly bufferBytes: number;
  /** What write buffers hold at first, over and over; null: random bytes. @default null */
  readonly bufferPattern?: Uint8Array | null;
  /** Not measured, in addition to runtimeMs. @default 0 */
  readonly rampMs?: number;
  /** 0: until the source ends. @default 0 */
  readonly runtimeMs?: number;
  /** Flush after this many writes; 0: never. @default 0 */
  readonly syncEvery?: number;
  /** Each write is flushed before it counts as done. @default false */
  readonly syncsWrites?: boolean;
  /** Flush once when all else is done. @default false */
  readonly syncsAtEnd?: boolean;
  /** A mismatch ends the loop. @default false */
  readonly mismatchEnds?: boolean;
  /** @default none */
  readonly think?: ThinkTime | null;
  /** A request that takes longer ends the loop; 0: none does. @default 0 */
  readonly latencyMostMs?: number;
  /** Searches the depth, up to the one given. @default none */
  readonly depthSearch?: DepthSearch | null;
  /** Told of every measured request. @default none */
  readonly requestLog?: RequestLog | null;
}

/** A pause after every so many requests, when all of them have completed. */
export interface ThinkTime {
  readonly everyRequests: number;
  readonly pauseMs: number;
  /** What of the pause is a busy loop. */
  readonly spinMs: number;
  /** What the source has still due waits for the pause too. */
  readonly shiftsSource: boolean;
}

/** How a loop ended: by itself or by stop() if error is null. */
export interface LoopEnd {
  /** The first request's failure, as the target rejected it. */
  readonly error: unknown;
}
