/**
 * A trace file as a stream of batches, read ahead by one piece, in constant memory.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { PlaneError } from '../base/errors.ts';
import { KIB } from '../base/units.ts';
import { TRACE_LINE_BYTES_MAX } from '../limits.ts';
import {
  createTraceBatch,
  type TraceBatch,
  type TraceFormatName,
  TraceParser,
  traceFormatOf,
  traceInvalid,
} from './trace-format.ts';

/** A piece of a file: some thousand lines, a fraction of a millisecond to parse. */
const PIECE_BYTES = 128 * KIB;

export class TraceFile {
  readonly fileName: string;
  readonly format: TraceFormatName;
  readonly sizeBytes: number;
  readonly #handle: FileHandle;
  readonly #parser: TraceParser;
  readonly #batch: TraceBatch = createTraceBatch();
  /** Bytes [start, end) of the buffer are still to be parsed. */
  readonly #buffer = new Uint8Array(PIECE_BYTES + TRACE_LINE_BYTES_MAX);
  readonly #ahead = new Uint8Array(PIECE_BYTES);
  #start = 0;
  #end = 0;
  #readBytes: number;
  #reading: Promise<number>;
  #isAtEnd = false;

  private constructor(
    fileName: string,
    format: TraceFormatName,
    handle: FileHandle,
    sizeBytes: number,
    headerBytes: number,
  ) {
    this.fileName = fileName;
    this.format = format;
    this.sizeBytes = sizeBytes;
    this.#handle = handle;
    this.#parser = new TraceParser(format, fileName, headerBytes === 0 ? 1 : 2);
    this.#readBytes = headerBytes;
    this.#reading = this.#readAhead();
  }

  /**
   * Opens a trace at its first request.
   *
   * @throws PlaneError TraceInvalid: not a trace, or not a file that can be read
   */
  static async open(fileName: string): Promise<TraceFile> {
    let handle: FileHandle;
    try {
      handle = await open(fileName, 'r');
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      throw new PlaneError('TraceInvalid', `${fileName}: ${detail}`, { cause: error });
    }
    try {
      const { size } = await handle.stat();
      const head = Buffer.alloc(TRACE_LINE_BYTES_MAX);
      const { bytesRead } = await handle.read(head, 0, head.length, 0);
      const newline = head.subarray(0, bytesRead).indexOf(10);
      const firstLine = head.toString('latin1', 0, newline < 0 ? bytesRead : newline);
      const format = traceFormatOf(firstLine, fileName);
      const headerBytes = format === 'cloudphysics' ? firstLine.length + 1 : 0;
      return new TraceFile(fileName, format, handle, size, headerBytes);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * The next requests, at least one; null at the end of the file. The batch is reused by the next
   * call.
   *
   * @throws PlaneError TraceInvalid with file:line
   */
  async next(): Promise<TraceBatch | null> {
    for (;;) {
      const rest = this.#buffer.subarray(this.#start, this.#end);
      this.#start += this.#parser.parse(rest, this.#isAtEnd, this.#batch);
      if (this.#batch.count > 0) return this.#batch;
      if (this.#isAtEnd) return null;
      await this.#refill();
    }
  }

  /** Share of the file that was parsed, 0 to 1. */
  progress(): number {
    const unparsed = this.#end - this.#start;
    return this.sizeBytes === 0 ? 1 : (this.#readBytes - unparsed) / this.sizeBytes;
  }

  async close(): Promise<void> {
    // Waits for the read, so that the handle is not closed under it; next() reports failures.
    await this.#reading.catch(() => 0);
    await this.#handle.close();
  }

  async #refill(): Promise<void> {
    const restBytes = this.#end - this.#start;
    if (restBytes > TRACE_LINE_BYTES_MAX) {
      const line = this.#batch.firstLine;
      const detail = `expected lines of at most ${TRACE_LINE_BYTES_MAX} bytes`;
      throw traceInvalid(this.fileName, line, detail);
    }
    const bytesRead = await this.#reading;
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#buffer.set(this.#ahead.subarray(0, bytesRead), restBytes);
    this.#start = 0;
    this.#end = restBytes + bytesRead;
    this.#readBytes += bytesRead;
    if (bytesRead === 0) this.#isAtEnd = true;
    else this.#reading = this.#readAhead();
  }

  #readAhead(): Promise<number> {
    const reading = this.#handle
      .read(this.#ahead, 0, PIECE_BYTES, this.#readBytes)
      .then(({ bytesRead }) => bytesRead);
    // A failure waits for whoever asks for the bytes; until then it is not unhandled.
    reading.catch(() => {});
    return reading;
  }
}
