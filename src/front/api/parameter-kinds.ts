/**
 * How the parameters of an operation are written on the wire, and what a verb is given for them.
 *
 *   text      as it is, also empty                 word    as text; empty is as if not given
 *   number    "20"                                 flag    "true", "false"
 *   list      Name.1, Name.2, ...                  structure   Name.Field
 *   commas    several, with commas between         structures  Name.1.Field, Name.2.Field, ...
 *   json      a JSON value in a string             map         a JSON object, or Name.key
 *
 * 1. What the table does not name is not looked at, as at the cloud.
 * 2. Nothing is judged here but its spelling: which values are allowed, the verb says.
 * 3. Lists count from 1. Gaps are closed; an index above API_LIST_MAX is refused.
 * 4. Objects made of what a caller sent have no prototype's names: fields come from the table, and
 *    the keys of a map are defined, not assigned.
 */
import { PlaneError } from '../../base/errors.ts';
import { API_LIST_MAX } from '../../limits.ts';
import { type Pairs, shown } from './request-pairs.ts';

/** How one parameter is written. */
export type Kind =
  | { readonly kind: 'text' | 'word' | 'number' | 'flag' | 'list' | 'commas' | 'json' | 'map' }
  /** A number that is moved into a range, as the cloud does with MaxResults. */
  | { readonly kind: 'clamped'; readonly least: number; readonly most: number }
  | { readonly kind: 'structure' | 'structures'; readonly fields: Kinds };

/** By the names a verb has for them, which are those on the wire. */
export type Kinds = Readonly<Record<string, Kind>>;

export const text: Kind = { kind: 'text' };
export const word: Kind = { kind: 'word' };
export const number: Kind = { kind: 'number' };
export const flag: Kind = { kind: 'flag' };
/** Texts. */
export const list: Kind = { kind: 'list' };
export const commas: Kind = { kind: 'commas' };
export const json: Kind = { kind: 'json' };
/** Texts by text. */
export const map: Kind = { kind: 'map' };

export function clamped(least: number, most: number): Kind {
  return { kind: 'clamped', least, most };
}

export function structure(fields: Kinds): Kind {
  return { kind: 'structure', fields };
}

export function structures(fields: Kinds): Kind {
  return { kind: 'structures', fields };
}

/**
 * What a verb is given for what came.
 *
 * @throws PlaneError InvalidParameter: not a number, not true or false, not JSON
 */
export function readParameters(kinds: Kinds, pairs: Pairs): Record<string, unknown> {
  return readFields(kinds, pairs, '', new Indexes(pairs));
}

function readFields(
  kinds: Kinds,
  pairs: Pairs,
  prefix: string,
  indexes: Indexes,
): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const [name, kind] of Object.entries(kinds)) {
    const value = readOne(kind, pairs, prefix + name, indexes);
    if (value !== undefined) read[name] = value;
  }
  return read;
}

function readOne(kind: Kind, pairs: Pairs, name: string, indexes: Indexes): unknown {
  switch (kind.kind) {
    case 'text':
      return textOf(pairs, name);
    case 'word':
      return wordOf(pairs, name);
    case 'number':
      return readNumber(name, wordOf(pairs, name));
    case 'clamped': {
      const value = readNumber(name, wordOf(pairs, name));
      return value === undefined ? undefined : Math.min(kind.most, Math.max(kind.least, value));
    }
    case 'flag':
      return readFlag(name, wordOf(pairs, name));
    case 'json':
      return readJson(name, wordOf(pairs, name));
    case 'map':
      return readMap(name, wordOf(pairs, name), pairs);
    case 'list':
      return nonEmpty(indexes.of(name).map((index) => textOf(pairs, `${name}.${index}`) ?? ''));
    case 'commas':
      return wordOf(pairs, name)?.split(',');
    case 'structure':
      return orNone(readFields(kind.fields, pairs, `${name}.`, indexes));
    case 'structures': {
      const { fields } = kind;
      const found = indexes.of(name);
      return nonEmpty(
        found.map((index) => readFields(fields, pairs, `${name}.${index}.`, indexes)),
      );
    }
  }
}

/** Older clients begin the fields of tags with a small letter: Tag.1.key. */
function textOf(pairs: Pairs, name: string): string | undefined {
  const value = pairs.get(name);
  const dot = name.lastIndexOf('.') + 1;
  if (value !== undefined || dot === 0) return value;
  return pairs.get(name.slice(0, dot) + name.charAt(dot).toLowerCase() + name.slice(dot + 1));
}

function wordOf(pairs: Pairs, name: string): string | undefined {
  const value = textOf(pairs, name);
  return value === '' ? undefined : value;
}

function readNumber(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^-?\d{1,16}$/.test(value)) return Number(value);
  throw new PlaneError('InvalidParameter', `expected ${name} to be a number, got ${shown(value)}`);
}

function readFlag(name: string, value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  const lower = value.toLowerCase();
  if (lower === 'true' || lower === 'false') return lower === 'true';
  throw new PlaneError(
    'InvalidParameter',
    `expected ${name} to be true or false, got ${shown(value)}`,
  );
}

function readJson(name: string, value: string | undefined): unknown {
  if (value === undefined) return undefined;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    throw new PlaneError('InvalidParameter', `expected ${name} to be JSON, got ${shown(value)}`);
  }
}

/** One JSON object, or a parameter for each of its members. */
function readMap(name: string, value: string | undefined, pairs: Pairs): unknown {
  if (value !== undefined) return readJson(name, value);
  const members: [string, string][] = [];
  const prefix = `${name}.`;
  for (const [key, member] of pairs) {
    if (key.startsWith(prefix)) members.push([key.slice(prefix.length), member]);
  }
  return members.length === 0 ? undefined : Object.fromEntries(members);
}

function nonEmpty<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length === 0 ? undefined : items;
}

function orNone(fields: Record<string, unknown>): Record<string, unknown> | undefined {
  return Object.keys(fields).length === 0 ? undefined : fields;
}

/** Which indexes of a list there are, for all lists of a request at once. */
class Indexes {
  private readonly pairs: Pairs;
  private byName: Map<string, Set<number>> | null = null;

  constructor(pairs: Pairs) {
    this.pairs = pairs;
  }

  /** In order. */
  of(name: string): number[] {
    this.byName ??= this.read();
    return [...(this.byName.get(name) ?? [])].sort((a, b) => a - b);
  }

  private read(): Map<string, Set<number>> {
    const byName = new Map<string, Set<number>>();
    for (const name of this.pairs.keys()) {
      for (const match of name.matchAll(/\.([1-9]\d{0,8})(?=\.|$)/g)) {
        const list = name.slice(0, match.index);
        const index = Number(match[1]);
        if (index > API_LIST_MAX) {
          throw new PlaneError(
            'InvalidParameter',
            `expected at most ${API_LIST_MAX} of ${shown(list)}`,
          );
        }
        const known = byName.get(list);
        if (known === undefined) byName.set(list, new Set([index]));
        else known.add(index);
      }
    }
    return byName;
  }
}
