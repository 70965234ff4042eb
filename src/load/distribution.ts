/**
 * Where random requests go: evenly, or more to some places than to others.
 *
 * The formulas are fio's (lib/zipf.c, lib/gauss.c, io_u.c), with two differences:
 *
 * 1. fio spreads the hot blocks of zipf and pareto over the disk by a hash modulo the number of
 *    blocks, which lets two of them fall together. Here a seeded permutation spreads them: the
 *    share of the k-th hottest block is exactly what the distribution says.
 * 2. The sum that zipf needs is exact for 10^6 blocks and an integral beyond (Euler-Maclaurin, off
 *    by less than 10^-9), where fio stops summing at 10^7.
 *
 * normal is centred in the region and has no permutation: blocks near the middle are hot together.
 */
import type { Prng } from '../base/prng.ts';
import { type OptionPlace, realNumber, refuse, wholeNumber } from './job-values.ts';
import { createPermutation } from './permutation.ts';

/** A share of the requests goes to a part of the region. */
export interface Zone {
  readonly accessPercent: number;
  /** Of the region, percent; zoned_abs: bytes. */
  readonly size: number;
}

export type Distribution =
  | { readonly kind: 'random' }
  | { readonly kind: 'zipf' | 'pareto' | 'normal'; readonly parameter: number }
  | { readonly kind: 'zoned' | 'zoned_abs'; readonly zones: readonly Zone[] };

/** Gives block numbers. */
export type BlockDraw = () => number;

const ZIPF_EXACT_TERMS = 1_000_000;
/** Draws whose mean is one normal draw, in fio. */
const NORMAL_DRAWS = 12;

/** Reads random_distribution of one direction. @param size reads a size, for zoned_abs */
export function readDistribution(
  place: OptionPlace,
  value: string,
  size: (part: string) => number,
): Distribution {
  const [kind = '', ...rest] = value.split(':');
  const parameters = rest.join(':');
  switch (kind) {
    case 'random':
      return { kind };
    case 'zipf': {
      const parameter = realNumber(place, parameters || '1.1', 0);
      if (parameter === 1) refuse(place, 'zipf:theta with a theta other than 1', value);
      return { kind, parameter };
    }
    case 'pareto':
      return { kind, parameter: paretoPower(place, parameters || '0.2') };
    case 'normal':
    case 'gauss':
      return { kind: 'normal', parameter: realNumber(place, parameters || '0', 0, 100) };
    case 'zoned': {
      const zones = readZones(place, parameters, (part) => wholeNumber(place, part, 1));
      const whole = zones.reduce((sum, zone) => sum + zone.size, 0);
      if (whole > 100) refuse(place, 'sizes of 100 percent at most', value);
      return { kind, zones };
    }
    case 'zoned_abs':
      return { kind, zones: readZones(place, parameters, size) };
    default:
      return refuse(place, 'random, zipf, pareto, normal, zoned or zoned_abs', value);
  }
}

/** @returns h, checked */
function paretoPower(place: OptionPlace, value: string): number {
  const h = realNumber(place, value, 0, 1);
  if (h === 0 || h === 1) refuse(place, 'pareto:h with h between 0 and 1', value);
  return h;
}

/** access/size:access/size; what has no size shares what is left of 100 % evenly. */
function readZones(place: OptionPlace, value: string, size: (part: string) => number): Zone[] {
  const parts = value.split(':').map((part) => {
    const [access = '', extent = ''] = part.split('/');
    return {
      accessPercent: wholeNumber(place, access, 1),
      size: extent === '' ? null : size(extent),
    };
  });
  const access = parts.reduce((sum, { accessPercent }) => sum + accessPercent, 0);
  if (access !== 100) refuse(place, 'accesses that add up to 100 percent', value);
  const given = parts.reduce((sum, zone) => sum + (zone.size ?? 0), 0);
  const open = parts.filter((zone) => zone.size === null).length;
  const rest = (100 - given) / Math.max(1, open);
  if (open > 0 && rest <= 0) refuse(place, 'sizes that leave room for the zone without one', value);
  return parts.map((zone) => ({ accessPercent: zone.accessPercent, size: zone.size ?? rest }));
}

/** The draw of a distribution other than random, over blocks 0..count-1. */
export function createDraw(
  distribution: Exclude<Distribution, { kind: 'random' }>,
  count: number,
  blockBytes: number,
  prng: Prng,
): BlockDraw {
  switch (distribution.kind) {
    case 'zipf':
      return spread(zipfRanks(distribution.parameter, count, prng), count, prng);
    case 'pareto':
      return spread(paretoRanks(distribution.parameter, count, prng), count, prng);
    case 'normal':
      return normalBlocks(distribution.parameter, count, prng);
    case 'zoned':
      return zonedBlocks(distribution.zones, count, (size) => (size / 100) * count, prng);
    case 'zoned_abs':
      return zonedBlocks(distribution.zones, count, (size) => size / blockBytes, prng);
  }
}

/** Ranks become blocks all over the region. */
function spread(draw: BlockDraw, count: number, prng: Prng): BlockDraw {
  const permutation = createPermutation(count, prng.nextUint32());
  return () => permutation(draw());
}

/** Gray et al., "Quickly generating billion-record synthetic databases" (SIGMOD 1994), as fio. */
export function zipfRanks(theta: number, count: number, prng: Prng): BlockDraw {
  if (count < 3) return () => prng.nextBelow(count);
  const zeta = zetaOf(theta, count);
  const alpha = 1 / (1 - theta);
  const zetaOfTwo = 1 + 0.5 ** theta;
  const eta = (1 - (2 / count) ** (1 - theta)) / (1 - zetaOfTwo / zeta);
  return () => {
    const uniform = prng.nextFloat();
    const scaled = uniform * zeta;
    if (scaled < 1) return 0;
    if (scaled < zetaOfTwo) return 1;
    return Math.min(count - 1, Math.floor(count * (eta * uniform - eta + 1) ** alpha));
  };
}

/** The sum of 1/k^theta for k from 1 to count. */
export function zetaOf(theta: number, count: number): number {
  const terms = Math.min(count, ZIPF_EXACT_TERMS);
  let sum = 0;
  for (let rank = terms; rank >= 1; rank--) sum += rank ** -theta;
  if (terms === count) return sum;
  const integral = (count ** (1 - theta) - terms ** (1 - theta)) / (1 - theta);
  return sum + integral + (count ** -theta - terms ** -theta) / 2;
}

/** fio pareto_next: the share 1-h of the draws goes to the share h of the blocks. */
export function paretoRanks(h: number, count: number, prng: Prng): BlockDraw {
  const power = Math.log(h) / Math.log(1 - h);
  return () => Math.floor((count - 1) * prng.nextFloat() ** power);
}

/** fio gauss_next: the mean of twelve even draws, moved by up to half the deviation. */
function normalBlocks(deviationPercent: number, count: number, prng: Prng): BlockDraw {
  const deviation = Math.min(Math.ceil((count * deviationPercent) / 100), Math.floor(count / 2));
  return () => {
    let sum = 0;
    for (let draw = 0; draw < NORMAL_DRAWS; draw++) sum += prng.nextBelow(count);
    const mean = Math.floor(sum / NORMAL_DRAWS);
    if (deviation === 0) return mean;
    const moved = mean + prng.nextBelow(deviation) - Math.floor(deviation / 2);
    return Math.max(0, Math.min(count - 1, moved));
  };
}

function zonedBlocks(
  zones: readonly Zone[],
  count: number,
  blocksOf: (size: number) => number,
  prng: Prng,
): BlockDraw {
  let access = 0;
  let end = 0;
  const parts = zones.map(({ accessPercent, size }) => {
    const start = Math.min(count - 1, Math.round(end));
    access += accessPercent;
    end += blocksOf(size);
    return { access, start, blocks: Math.max(1, Math.min(count, Math.round(end)) - start) };
  });
  return () => {
    const drawn = prng.nextFloat() * 100;
    const { start, blocks } = parts.find((part) => drawn < part.access)!;
    return start + prng.nextBelow(blocks);
  };
}
