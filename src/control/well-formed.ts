/**
 * Text of callers as it is stored and sent: half a surrogate pair, which UTF-8 has no bytes for, is
 * U+FFFD from the beginning, as it would be if it came over HTTP. Otherwise a name would be another
 * one once it was stored. Pure. Source: Unicode 15, section 3.9, "U+FFFD substitution".
 */

/** Parameters of no verb go deeper; what does is refused by its schema. */
const DEPTH_MAX = 8;

/** @returns the same value with such text put right; objects and arrays in it are copies */
export function wellFormed(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (depth === DEPTH_MAX || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => wellFormed(each, depth + 1));
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([name, each]) => [name, wellFormed(each, depth + 1)]));
}
