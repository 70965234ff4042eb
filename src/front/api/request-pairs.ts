/**
 * The parameters of a request as names and values: from the query, from a form body, and merged.
 *
 * 1. Percent escapes must be of UTF-8; "+" is a space, as forms write it.
 * 2. A name given twice has the same value both times, or the request is refused: nobody is to
 *    sign one value and be served by the other.
 * 3. Names and values are text here and nothing else: what they mean is in parameter-kinds.ts.
 */
import { PlaneError } from '../../base/errors.ts';
import { API_PARAMETERS_MAX } from '../../limits.ts';

/** Parameters by name, as they were sent, decoded. */
export type Pairs = ReadonlyMap<string, string>;

/**
 * Reads `name=value&name=value`.
 *
 * @throws PlaneError InvalidParameter: not UTF-8, too many, or two values of one name
 */
export function readPairs(...texts: readonly string[]): Pairs {
  const pairs = new Map<string, string>();
  for (const text of texts) {
    if (text === '') continue;
    const parts = text.split('&', API_PARAMETERS_MAX + 1);
    for (const part of parts) {
      if (part === '') continue;
      const equals = part.indexOf('=');
      const name = decode(equals < 0 ? part : part.slice(0, equals));
      put(pairs, name, equals < 0 ? '' : decode(part.slice(equals + 1)));
    }
  }
  return pairs;
}

/** @throws PlaneError InvalidParameter: two values of one name */
export function mergePairs(first: Pairs, second: Pairs): Pairs {
  if (second.size === 0) return first;
  const pairs = new Map(first);
  for (const [name, value] of second) put(pairs, name, value);
  return pairs;
}

function put(pairs: Map<string, string>, name: string, value: string): void {
  const known = pairs.get(name);
  if (known !== undefined && known !== value) {
    throw new PlaneError('InvalidParameter', `parameter ${shown(name)} has two values`);
  }
  pairs.set(name, value);
  if (pairs.size > API_PARAMETERS_MAX) {
    throw new PlaneError('InvalidParameter', `expected at most ${API_PARAMETERS_MAX} parameters`);
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.includes('+') ? text.replaceAll('+', ' ') : text);
  } catch {
    throw new PlaneError('InvalidParameter', `${shown(text)} is not percent-encoded UTF-8`);
  }
}

/** What a caller sent, short enough for a message. */
export function shown(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
