/**
 * Block trace lines, parsed from bytes as they come.
 *
 * Two formats, told apart by their first line:
 *
 * - alibaba (github.com/alibaba/block-traces, io_traces.csv), no header line:
 *     device_id, opcode R|W, offset in bytes, length in bytes, timestamp in microseconds
 * - cloudphysics (as published with libCacheSim), with a header line:
 *     version, time in seconds, SCSI opcode in hexadecimal, size in bytes, first 512-byte sector
 *   READ and WRITE of 6, 10, 12 and 16 bytes are known: 08 28 a8 88, 0a 2a aa 8a (SBC-4).
 *
 * The parser looks at each byte once and makes no strings: traces are hundreds of gigabytes long.
 */
import { PlaneError } from '../base/errors.ts';
import { READ, WRITE } from './operation-source.ts';

export type TraceFormatName = 'alibaba' | 'cloudphysics';

/** Requests of a trace in columns. Reused: valid until the next batch is asked for. */
export interface TraceBatch {
  count: number;
  readonly devices: Uint32Array;
  /** READ or WRITE. */
  readonly operations: Uint8Array;
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
  /** Microseconds, from whatever the trace counts from. */
  readonly timesUs: Float64Array;
  /** Line of the first request, from 1. Requests are on consecutive lines. */
  firstLine: number;
}

/** Requests in a batch at most. */
export const TRACE_BATCH_REQUESTS = 8192;

export function createTraceBatch(): TraceBatch {
  return {
    count: 0,
    devices: new Uint32Array(TRACE_BATCH_REQUESTS),
    operations: new Uint8Array(TRACE_BATCH_REQUESTS),
    offsets: new Float64Array(TRACE_BATCH_REQUESTS),
    lengths: new Float64Array(TRACE_BATCH_REQUESTS),
    timesUs: new Float64Array(TRACE_BATCH_REQUESTS),
    firstLine: 1,
  };
}

/** A TraceInvalid at a line of a file. */
export function traceInvalid(fileName: string, line: number, detail: string): PlaneError {
  return new PlaneError('TraceInvalid', `${fileName}:${line}: ${detail}`);
}

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const COMMA = 44;
const DIGIT_0 = 48;
const FIELDS = 5;
const FIELD_NAMES: Readonly<Record<TraceFormatName, readonly string[]>> = {
  alibaba: ['device_id', 'opcode', 'offset', 'length', 'timestamp'],
  cloudphysics: ['version', 'time', 'op', 'size', 'lbn'],
};
const OPCODE_FIELD: Readonly<Record<TraceFormatName, number>> = { alibaba: 1, cloudphysics: 2 };

/**
 * Tells the format by the first line.
 *
 * @throws PlaneError TraceInvalid: neither
 */
export function traceFormatOf(firstLine: string, fileName: string): TraceFormatName {
  const fields = firstLine.trim().split(',');
  if (fields.length === FIELDS && /^[RWrw]$/.test(fields[1]!)) return 'alibaba';
  if (firstLine.trim() === FIELD_NAMES.cloudphysics.join(',')) return 'cloudphysics';
  throw traceInvalid(
    fileName,
    1,
    "expected 'device_id,R|W,offset,length,timestamp' or the header 'version,time,op,size,lbn', " +
      `got '${firstLine.trim().slice(0, 60)}'`,
  );
}

/** What a hexadecimal SCSI opcode does; -1: neither reads nor writes. */
function scsiOperation(opcode: number): number {
  switch (opcode) {
    case 0x08:
    case 0x28:
    case 0xa8:
    case 0x88:
      return READ;
    case 0x0a:
    case 0x2a:
    case 0xaa:
    case 0x8a:
      return WRITE;
    default:
      return -1;
  }
}

/** Turns bytes into batches, line by line. One for each pass over a file. */
export class TraceParser {
  readonly #format: TraceFormatName;
  readonly #fileName: string;
  readonly #fields = new Float64Array(FIELDS);
  readonly #opcodeField: number;
  #line: number;

  /** @param line number of the first line that will be parsed, from 1 */
  constructor(format: TraceFormatName, fileName: string, line: number) {
    this.#format = format;
    this.#fileName = fileName;
    this.#line = line;
    this.#opcodeField = OPCODE_FIELD[format];
  }

  /**
   * Parses whole lines into the batch until it is full or the bytes end.
   *
   * @param bytes borrowed for the call
   * @param isLast true: the end of the bytes is the end of the file, and ends a line
   * @returns how many bytes were taken; the rest is a part of a line, or did not fit the batch
   * @throws PlaneError TraceInvalid with file:line
   */
  parse(bytes: Uint8Array, isLast: boolean, batch: TraceBatch): number {
    let at = 0;
    batch.count = 0;
    batch.firstLine = this.#line;
    while (batch.count < TRACE_BATCH_REQUESTS && at < bytes.length) {
      let end = bytes.indexOf(NEWLINE, at);
      if (end < 0) {
        if (!isLast) break;
        end = bytes.length;
      }
      const isReturn = end > at && bytes[end - 1] === CARRIAGE_RETURN;
      this.#parseLine(bytes, at, isReturn ? end - 1 : end, batch);
      this.#line += 1;
      at = end + 1;
    }
    return Math.min(at, bytes.length);
  }

  #parseLine(bytes: Uint8Array, start: number, end: number, batch: TraceBatch): void {
    const fields = this.#fields;
    let at = start;
    for (let field = 0; field < FIELDS; field++) {
      let stop = at;
      while (stop < end && bytes[stop] !== COMMA) stop++;
      if (stop === end && field < FIELDS - 1) this.#refuseFieldCount(field + 1);
      fields[field] =
        field === this.#opcodeField
          ? this.#opcode(bytes, at, stop)
          : this.#number(bytes, at, stop, field);
      at = stop + 1;
    }
    if (at <= end) this.#refuseFieldCount(FIELDS + 1);
    this.#store(batch);
  }

  #store(batch: TraceBatch): void {
    const [first, second, third, fourth, fifth] = this.#fields as unknown as [
      number,
      number,
      number,
      number,
      number,
    ];
    const index = batch.count;
    if (this.#format === 'alibaba') {
      batch.devices[index] = first;
      batch.operations[index] = second;
      batch.offsets[index] = third;
      batch.lengths[index] = fourth;
      batch.timesUs[index] = fifth;
    } else {
      batch.devices[index] = 0;
      batch.timesUs[index] = second * 1e6;
      batch.operations[index] = third;
      batch.lengths[index] = fourth;
      batch.offsets[index] = fifth * 512;
    }
    batch.count += 1;
  }

  /** Decimal digits; a fraction only where there may be one, in cloudphysics' time. */
  #number(bytes: Uint8Array, start: number, end: number, field: number): number {
    let value = 0;
    for (let at = start; at < end; at++) {
      const digit = bytes[at]! - DIGIT_0;
      if (digit < 0 || digit > 9) return this.#fraction(bytes, start, end, field);
      value = value * 10 + digit;
    }
    if (start === end || value > Number.MAX_SAFE_INTEGER) this.#refuse(bytes, start, end, field);
    return value;
  }

  #fraction(bytes: Uint8Array, start: number, end: number, field: number): number {
    const text = Buffer.from(bytes.subarray(start, end)).toString('latin1');
    const isTime = FIELD_NAMES[this.#format][field] === 'time';
    if (!isTime || !/^\d+\.\d+$/.test(text)) this.#refuse(bytes, start, end, field);
    return Number(text);
  }

  #opcode(bytes: Uint8Array, start: number, end: number): number {
    let operation = -1;
    if (this.#format === 'alibaba') {
      const letter = end - start === 1 ? bytes[start]! | 0x20 : 0;
      if (letter === 0x72) operation = READ;
      else if (letter === 0x77) operation = WRITE;
    } else if (end > start && end - start <= 2) {
      operation = scsiOperation(
        Number(`0x${Buffer.from(bytes.subarray(start, end)).toString('latin1')}`),
      );
    }
    if (operation < 0) this.#refuse(bytes, start, end, this.#opcodeField);
    return operation;
  }

  #refuse(bytes: Uint8Array, start: number, end: number, field: number): never {
    const name = FIELD_NAMES[this.#format][field]!;
    const got = Buffer.from(bytes.subarray(start, Math.min(end, start + 40))).toString('latin1');
    const opcodes = this.#format === 'alibaba' ? 'R or W' : '28 or 2a';
    const expected = field === this.#opcodeField ? `an opcode, ${opcodes}` : 'a whole number';
    throw traceInvalid(this.#fileName, this.#line, `${name}: expected ${expected}, got '${got}'`);
  }

  #refuseFieldCount(count: number): never {
    const names = FIELD_NAMES[this.#format].join(',');
    const got = count > FIELDS ? 'more' : `${count}`;
    throw traceInvalid(this.#fileName, this.#line, `expected 5 fields (${names}), got ${got}`);
  }
}
