/**
 * Values of job file options: numbers with size and time suffixes, lists, patterns.
 *
 * Sizes follow what fio 3.33 does (parse.c __get_mult_bytes), checked against its own parser:
 * - k m g t p, with or without b, any case, are powers of kb_base: 1024 unless kb_base=1000
 * - kib mib gib tib pib are powers of the *other* base: with fio's default, 4kib is 4000 bytes,
 *   "to provide compatibility with old scripts" (fio HOWTO, Parameter types)
 * - 0x starts a hexadecimal number; n% is a share of the disk
 * Where fio guesses (10q is 10, 1.5k is 1) we refuse: a benchmark that ran something else than was
 * written is worse than one that did not run.
 */
import { jobFileInvalid } from './job-lines.ts';

/** Where a value stands, for messages. */
export interface OptionPlace {
  readonly fileName: string;
  readonly line: number;
  readonly option: string;
}

/** An amount of a disk: bytes, or a share of the disk's size. Exactly one is not null. */
export interface Extent {
  readonly bytes: number | null;
  readonly percent: number | null;
}

/** read, write, trim: fio's order in 'bs=4k,8k,16k'. */
export interface PerDirection<Value = number> {
  readonly read: Value;
  readonly write: Value;
  readonly trim: Value;
}

/** The same for all directions. */
export function everyDirection<Value>(value: Value): PerDirection<Value> {
  return { read: value, write: value, trim: value };
}

const POWERS: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5 };
const TIME_US: Readonly<Record<string, number>> = {
  us: 1,
  usec: 1,
  ms: 1e3,
  msec: 1e3,
  s: 1e6,
  sec: 1e6,
  m: 60e6,
  h: 3600e6,
  d: 86_400e6,
};

/** Throws JobFileInvalid: what was expected of the option, and what came. */
export function refuse(place: OptionPlace, expected: string, got: string): never {
  throw jobFileInvalid(
    place.fileName,
    place.line,
    `${place.option}: expected ${expected}, got '${got}'`,
  );
}

/** A whole number of at least least, decimal or 0x. */
export function wholeNumber(place: OptionPlace, value: string, least: number): number {
  const number = /^(0[xX][0-9a-fA-F]+|\d+)$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number) || number < least) {
    refuse(place, `a whole number of at least ${least}`, value);
  }
  return number;
}

/** Bytes, from a number and a size suffix. */
export function byteCount(place: OptionPlace, value: string, kbBase: 1000 | 1024): number {
  const match = /^(0[xX][0-9a-fA-F]+|\d+)(?:b|([kmgtp])(b|i|ib)?)?$/i.exec(value);
  if (match === null) refuse(place, 'a size such as 4096, 4k or 1g', value);
  const [, digits, letter, unit] = match;
  const isOther = unit?.toLowerCase() === 'ib';
  const base = isOther ? (kbBase === 1024 ? 1000 : 1024) : kbBase;
  const bytes = Number(digits) * base ** (letter === undefined ? 0 : POWERS[letter.toLowerCase()]!);
  if (!Number.isSafeInteger(bytes)) refuse(place, 'a size below 2^53 bytes', value);
  return bytes;
}

/** A size, or a share of the disk: 1g, 25%. */
export function extent(place: OptionPlace, value: string, kbBase: 1000 | 1024): Extent {
  if (!value.endsWith('%')) return { bytes: byteCount(place, value, kbBase), percent: null };
  const percent = wholeNumber(place, value.slice(0, -1), 0);
  if (percent > 100) refuse(place, 'at most 100%', value);
  return { bytes: null, percent };
}

/**
 * fio's comma lists: one value is for all directions, a missing one keeps what was set before, and
 * the last given of several is for the directions after it.
 */
export function perDirection<Value>(
  value: string,
  previous: PerDirection<Value>,
  parse: (part: string) => Value,
): PerDirection<Value> {
  const [read = '', write, trim] = value.split(',').map((part) => part.trim());
  const readValue = read === '' ? previous.read : parse(read);
  if (write === undefined) return { read: readValue, write: readValue, trim: readValue };
  const writeValue = write === '' ? previous.write : parse(write);
  const trimValue = trim === undefined ? write : trim;
  return {
    read: readValue,
    write: writeValue,
    trim: trimValue === '' ? previous.trim : parse(trimValue),
  };
}

/**
 * Microseconds, from a number and a time suffix.
 *
 * @param bareUs what a number without a suffix counts: seconds, for most options
 */
export function timeUs(place: OptionPlace, value: string, bareUs = 1e6): number {
  const match = /^(\d+)([a-z]*)$/i.exec(value);
  const unit = match?.[2]?.toLowerCase() ?? '';
  const scale = unit === '' ? bareUs : TIME_US[unit];
  if (match === null || scale === undefined) {
    refuse(place, 'a time such as 30, 500ms, 10s, 5m or 1h', value);
  }
  return Number(match[1]) * scale;
}

/** A number with or without a fraction, from least to most. */
export function realNumber(
  place: OptionPlace,
  value: string,
  least: number,
  most = Number.MAX_VALUE,
): number {
  const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= least && number <= most)) {
    const range = most === Number.MAX_VALUE ? `at least ${least}` : `${least} to ${most}`;
    refuse(place, `a number of ${range}`, value);
  }
  return number;
}

/** 0 or 1; a bare switch is 1. */
export function switchValue(place: OptionPlace, value: string | null): boolean {
  if (value !== null && value !== '0' && value !== '1') refuse(place, '0 or 1', value);
  return value !== '0';
}

/**
 * verify_pattern: hexadecimal 0x.. (bytes in the order written), "text", or a decimal number
 * (little-endian, as few bytes as it needs), any number of them joined. Source: fio lib/pattern.c.
 */
export function bytePattern(place: OptionPlace, value: string): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest !== '') {
    const match = /^(?:0[xX]([0-9a-fA-F]+)|"([^"]+)"|(-?\d+))/.exec(rest);
    if (match === null) refuse(place, '0x.., "text" or a number', rest);
    const [whole, hex, text, decimal] = match;
    if (hex !== undefined)
      bytes.push(...Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex'));
    if (text !== undefined) bytes.push(...Buffer.from(text, 'latin1'));
    if (decimal !== undefined) bytes.push(...littleEndian(place, decimal));
    rest = rest.slice(whole.length);
  }
  if (bytes.length === 0 || bytes.length > 512) refuse(place, '1 to 512 bytes', value);
  return Uint8Array.from(bytes);
}

function littleEndian(place: OptionPlace, decimal: string): number[] {
  const number = Number(decimal);
  if (number < -(2 ** 31) || number >= 2 ** 32) refuse(place, 'a number of 32 bits', decimal);
  const word = number >>> 0;
  const bytes = [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24];
  while (number >= 0 && bytes.length > 1 && bytes.at(-1) === 0) bytes.pop();
  return bytes;
}
