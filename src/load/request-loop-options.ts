/** What a request loop is told, and how it says it ended. */
import type { MismatchLog } from './disk-verifier.ts';
import type { FailureCount } from './failure-count.ts';
import type { IoLogWriter } from './io-log-writer.ts';
import type { PayloadKind } from './job-settings.ts';
import type { DepthSearch } from './latency-target.ts';
import type { LoadStats } from './load-stats.ts';
import type { OperationSource } from './operation-source.ts';
import type { RequestLog } from './request-log.ts';
import type { Reduction } from './write-content.ts';

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
  /** What of the write buffers can be compressed and deduplicated; payload reducible. */
  readonly reduction?: Reduction;
  /** Requests are made when so many can be, or none is in flight. @default 1 */
  readonly submitBatch?: number;
  /** Takes the failures of requests after which the loop goes on. @default none: they end it */
  readonly failures?: FailureCount | null;
  /** After which. @default none */
  readonly continuesAfter?: readonly ('read' | 'write')[];
  /** Told of every request as it is made. @default none */
  readonly ioLog?: IoLogWriter | null;
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
  /** And after so long; Infinity: by requests alone. */
  readonly everyMs: number;
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
