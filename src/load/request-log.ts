/**
 * The logs of one clone: every request, or the mean of each interval, in fio's log format.
 *
 *   PREFIX_lat.N.log, PREFIX_clat.N.log   latency, nanoseconds
 *   PREFIX_bw.N.log                       KiB a second
 *   PREFIX_iops.N.log                     requests a second; 1 for a line of a single request
 *
 *   line = time (ms since the clone began), value, direction, length, [offset,] 0
 *
 * direction is 0 read, 1 write, 2 trim; there is an offset with log_offset; length is 0 where the
 * line is of an interval (fio HOWTO, "Log File Formats"). N counts clones from 1. Lines are written
 * as they come, a chunk at a time, so that a log may be larger than memory.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { FLUSH, type Operation } from './operation-source.ts';

/** Prefixes of the files; null: that log is not kept. */
export interface LogPrefixes {
  readonly bw: string | null;
  readonly lat: string | null;
  readonly iops: string | null;
}

const CHUNK_CHARACTERS = 64 * 1024;

/** What one direction did in an interval. */
interface Interval {
  requests: number;
  bytes: number;
  latencyNs: number;
  mostNs: number;
}

/** A request as a log needs it. */
export interface LoggedRequest {
  readonly operation: Operation;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

export interface LogShape {
  /** Length of an interval; 0: a line for each request. */
  readonly averageMs: number;
  /** A line is the greatest latency of its interval, not the mean. */
  readonly isGreatest: boolean;
  /** Lines have the offset, too; 0 where the line is of an interval. */
  readonly hasOffset: boolean;
}

class LogFile {
  readonly #descriptor: number;
  #lines: string[] = [];
  #length = 0;

  constructor(fileName: string) {
    this.#descriptor = openSync(fileName, 'w');
  }

  add(line: string): void {
    this.#lines.push(line);
    this.#length += line.length;
    if (this.#length >= CHUNK_CHARACTERS) this.#write();
  }

  close(): void {
    this.#write();
    closeSync(this.#descriptor);
  }

  #write(): void {
    if (this.#length > 0) writeSync(this.#descriptor, this.#lines.join(''));
    this.#lines = [];
    this.#length = 0;
  }
}

export class RequestLog {
  readonly #shape: LogShape;
  readonly #bw: LogFile | null;
  readonly #lat: readonly LogFile[];
  readonly #iops: LogFile | null;
  #intervals: Interval[] = newIntervals();
  #beganAtMs = Number.NaN;
  #sinceMs = 0;

  /**
   * @param number of the clone in the run, from 1
   * @throws the error of the file system if a file cannot be made
   */
  constructor(prefixes: LogPrefixes, number: number, shape: LogShape) {
    const open = (prefix: string, kind: string): LogFile =>
      new LogFile(`${prefix}_${kind}.${number}.log`);
    const { bw, lat, iops } = prefixes;
    this.#shape = shape;
    this.#bw = bw === null ? null : open(bw, 'bw');
    this.#lat = lat === null ? [] : [open(lat, 'lat'), open(lat, 'clat')];
    this.#iops = iops === null ? null : open(iops, 'iops');
  }

  /** Counts a request that completed. Flushes are not logged, as in fio. */
  record(request: LoggedRequest, beganAtMs: number, nowMs: number): void {
    const { operation, offsetBytes, lengthBytes } = request;
    const { averageMs, hasOffset } = this.#shape;
    if (operation === FLUSH) return;
    if (Number.isNaN(this.#beganAtMs)) {
      this.#beganAtMs = beganAtMs;
      this.#sinceMs = beganAtMs;
    }
    const latencyNs = (nowMs - beganAtMs) * 1e6;
    if (averageMs > 0) {
      if (nowMs - this.#sinceMs >= averageMs) this.#endInterval(nowMs);
      const interval = this.#intervals[operation]!;
      interval.requests += 1;
      interval.bytes += lengthBytes;
      interval.latencyNs += latencyNs;
      interval.mostNs = Math.max(interval.mostNs, latencyNs);
      return;
    }
    const time = Math.floor(nowMs - this.#beganAtMs);
    const rest = `${operation}, ${lengthBytes}, ${hasOffset ? `${offsetBytes}, ` : ''}0\n`;
    const kib = latencyNs === 0 ? 0 : (lengthBytes / 1024) * (1e9 / latencyNs);
    this.#bw?.add(`${time}, ${Math.round(kib)}, ${rest}`);
    for (const file of this.#lat) file.add(`${time}, ${Math.round(latencyNs)}, ${rest}`);
    this.#iops?.add(`${time}, 1, ${rest}`);
  }

  /** Writes what is still to be written. Call once. */
  close(nowMs: number): void {
    if (this.#shape.averageMs > 0 && !Number.isNaN(this.#beganAtMs)) this.#endInterval(nowMs);
    for (const file of [this.#bw, this.#iops, ...this.#lat]) file?.close();
  }

  #endInterval(nowMs: number): void {
    const spentMs = nowMs - this.#sinceMs;
    const time = Math.floor(nowMs - this.#beganAtMs);
    const { isGreatest, hasOffset } = this.#shape;
    const rest = hasOffset ? '0, 0, 0' : '0, 0';
    for (const [operation, interval] of this.#intervals.entries()) {
      const { requests, bytes, latencyNs, mostNs } = interval;
      if (requests === 0) continue;
      const line = (value: number): string =>
        `${time}, ${Math.round(value)}, ${operation}, ${rest}\n`;
      this.#bw?.add(line((bytes / 1024) * (1e3 / spentMs)));
      for (const file of this.#lat) file.add(line(isGreatest ? mostNs : latencyNs / requests));
      this.#iops?.add(line((requests * 1e3) / spentMs));
    }
    this.#intervals = newIntervals();
    this.#sinceMs = nowMs;
  }
}

function newIntervals(): Interval[] {
  return Array.from({ length: FLUSH }, () => ({
    requests: 0,
    bytes: 0,
    latencyNs: 0,
    mostNs: 0,
  }));
}
