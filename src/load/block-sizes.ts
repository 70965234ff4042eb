/**
 * How long a request is: one length, a range of lengths, or a list of lengths with their shares.
 *
 * As in fio (HOWTO: bs, bsrange, bssplit; io_u.c get_next_buflen): a range is even over the
 * multiples of its least length; in a list, lengths without a share divide what is left of 100 %
 * evenly, and the last one takes what the shares leave over.
 */
import type { Prng } from '../base/prng.ts';
import { type OptionPlace, refuse, wholeNumber } from './job-values.ts';

/** Lengths of the requests of one direction, bytes. */
export interface BlockSizes {
  readonly least: number;
  readonly most: number;
  /** Lengths and their shares; null: even over the multiples of least. */
  readonly split: readonly BlockShare[] | null;
}

export interface BlockShare {
  readonly bytes: number;
  /** Percent of the requests. */
  readonly percent: number;
}

export function fixedSize(bytes: number): BlockSizes {
  return { least: bytes, most: bytes, split: null };
}

/** least-most. @param size reads one length */
export function rangeOfSizes(
  place: OptionPlace,
  value: string,
  size: (part: string) => number,
): BlockSizes {
  const parts = value.split('-');
  if (parts.length !== 2) refuse(place, 'two sizes joined by -', value);
  const [least, most] = parts.map((part) => size(part.trim())) as [number, number];
  if (most < least) refuse(place, 'the lesser size first', value);
  return { least, most: most - (most % least), split: null };
}

/** size/percent:size/percent:.. @param size reads one length */
export function splitOfSizes(
  place: OptionPlace,
  value: string,
  size: (part: string) => number,
): BlockSizes {
  const parts = value.split(':').map((part) => {
    const [bytes = '', percent = ''] = part.split('/');
    return {
      bytes: size(bytes.trim()),
      percent: percent === '' ? null : wholeNumber(place, percent.trim(), 0),
    };
  });
  const given = parts.reduce((sum, { percent }) => sum + (percent ?? 0), 0);
  if (given > 100) refuse(place, 'shares of 100 percent at most', value);
  const open = parts.filter(({ percent }) => percent === null).length;
  const split = parts.map(({ bytes, percent }) => ({
    bytes,
    percent: percent ?? (100 - given) / open,
  }));
  const lengths = split.map(({ bytes }) => bytes);
  return { least: Math.min(...lengths), most: Math.max(...lengths), split };
}

/**
 * Draws lengths, one after the other.
 *
 * @param isOdd any number of bytes within a range, not multiples of the least (bs_unaligned)
 */
export function createSizeChooser(
  { least, most, split }: BlockSizes,
  prng: Prng,
  isOdd = false,
): () => number {
  if (least === most) return () => least;
  if (split === null) {
    if (isOdd) return () => least + prng.nextBelow(most - least + 1);
    const count = most / least;
    return () => least * (1 + prng.nextBelow(count));
  }
  let sum = 0;
  const upTo = split.map(({ bytes, percent }) => {
    sum += percent;
    return { bytes, sum };
  });
  const last = upTo.at(-1)!;
  return () => {
    const drawn = prng.nextFloat() * 100;
    return (upTo.find((each) => drawn < each.sum) ?? last).bytes;
  };
}
