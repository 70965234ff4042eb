/**
 * An operation of the cloud's API: a row of a table that says which verb it is, how its parameters
 * are written and how its answer is. The rules are the verb's.
 *
 * The compiler holds a row to its verb: it names every parameter the verb has, and no other.
 */
import type { Verbs } from '../../index.ts';
import type { Shape } from './answer-shape.ts';
import { flag, type Kind, type Kinds, word } from './parameter-kinds.ts';

export interface Operation {
  readonly verb: keyof Verbs;
  readonly takes: Kinds;
  /** RegionId is mandatory. */
  readonly needsRegion: boolean;
  /** The answer names the region. */
  readonly tellsRegion: boolean;
  readonly gives: Shape;
}

/** Names of parameters, of each variant of a union. */
type NamesOf<T> = T extends unknown ? keyof T : never;
/** Parameters the library has and the API has not. */
type Ours = 'BytesPerSecond';
type Taken<V extends keyof Verbs> = {
  readonly [P in Exclude<NamesOf<Verbs[V]['parameters']> & string, Ours>]: Kind;
};

interface More {
  readonly needsRegion?: boolean;
  readonly tellsRegion?: boolean;
  readonly gives?: Shape;
}

/** What every operation takes. RegionId is read apart: it says in whose region the call is. */
const COMMON: Kinds = { DryRun: flag, ClientToken: word };

/** A row. */
export function operation<V extends keyof Verbs>(
  verb: V,
  takes: Taken<V>,
  { needsRegion = false, tellsRegion = false, gives = {} }: More = {},
): Operation {
  return { verb, takes: { ...COMMON, ...takes }, needsRegion, tellsRegion, gives };
}

/** Operations by their names on the wire. */
export type Operations = Readonly<Record<string, Operation>>;

/** A table of operations that have the names of their verbs. */
export function operations(rows: readonly Operation[]): Operations {
  return Object.fromEntries(rows.map((row) => [row.verb, row]));
}
