/**
 * Draws from a few weighted values at the cost of one draw, by Walker's alias method in Vose's form
 * (IEEE TSE 17(9), 1991): a column is drawn, then it or its alias.
 */
import { invariant } from '../base/invariant.ts';

/** Columns; a mix has at most so many values. A power of two. */
export const MIX_VALUES_MAX = 16;

export interface AliasTable {
  /** Of 2^28: below it the column itself, else its alias. */
  readonly thresholds: Float64Array;
  readonly aliases: Int32Array;
}

const COLUMN_BITS = 4;
const FRACTION = 1 << (32 - COLUMN_BITS);

/** @param weights positive, one for each value; they need not add up to anything */
export function createAliasTable(weights: readonly number[]): AliasTable {
  invariant(weights.length > 0 && weights.length <= MIX_VALUES_MAX, 'a mix has 1 to 16 values');
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const columns = MIX_VALUES_MAX;
  const scaled = Array.from({ length: columns }, (_, at) => ((weights[at] ?? 0) / sum) * columns);
  const aliases = new Int32Array(columns);
  const small: number[] = [];
  const large: number[] = [];
  for (let at = 0; at < columns; at++) (scaled[at]! < 1 ? small : large).push(at);
  const thresholds = new Float64Array(columns).fill(FRACTION);
  while (small.length > 0 && large.length > 0) {
    const less = small.pop()!;
    const more = large.pop()!;
    thresholds[less] = Math.floor(scaled[less]! * FRACTION + 0.5);
    aliases[less] = more;
    scaled[more] = scaled[more]! - (1 - scaled[less]!);
    (scaled[more]! < 1 ? small : large).push(more);
  }
  return { thresholds, aliases };
}

/**
 * Which of the values.
 *
 * @param uint32 uniform in [0, 2^32)
 */
export function drawAlias(table: AliasTable, uint32: number): number {
  const column = uint32 >>> (32 - COLUMN_BITS);
  const isOwn = (uint32 & (FRACTION - 1)) < table.thresholds[column]!;
  return isOwn ? column : table.aliases[column]!;
}
