/**
 * What passes between the checker, which must outlive everything, and its victims.
 *
 * A command is a line of JSON on the victim's stdin, its answer a line on stdout. What a load does
 * is a line each in a file the victim appends to, by a system call each: it outlives the victim,
 * and its order is the order in which the victim's main thread saw things happen.
 *
 * An 'i' line is written before the request is made, an 'a', 'e' or 's' line after it has settled.
 */

/** w write, W write with FUA, t trim, z write zeros, f flush, r read. */
export type OperationKind = 'w' | 'W' | 't' | 'z' | 'f' | 'r';

/** A line of a load's file; an operation's number is also the version it writes. */
export type HistoryLine =
  | readonly ['i', operation: number, OperationKind, disk: number, unit: number, count: number]
  | readonly ['a', operation: number]
  | readonly ['e', operation: number, code: string]
  /** Versions a read saw, by unit. */
  | readonly ['s', operation: number, versions: readonly number[]]
  /** A control operation is about to be called, or was answered. */
  | readonly ['<', mark: string]
  | readonly ['>', mark: string];

export type Mix = Readonly<Partial<Record<OperationKind, number>>>;

/** A load on some of the disks attached. */
export interface LoadOptions {
  readonly file: string;
  readonly seed: number;
  /** Seed of the content, the same for the life of a data directory. */
  readonly contentSeed: number;
  /** Numbers of disks that are attached. */
  readonly disks: readonly number[];
  /** Units of each disk that are used, from its beginning. */
  readonly units: number;
  /** Callers of each disk, and requests each makes without waiting. */
  readonly callers: number;
  readonly burst: number;
  readonly mix: Mix;
  /** Longest request. */
  readonly unitsMax: number;
  /** Requests are whole sectors. */
  readonly isAligned: boolean;
  readonly firstVersion: number;
  /** Operations after which it ends by itself; otherwise by 'stop'. */
  readonly operations?: number;
  /** A request that fails ends its caller. Otherwise it goes on. */
  readonly endsOnError: boolean;
}

/** By name: parameters and result. */
export interface Commands {
  /** @param isSabotaged its threads can be lost */
  open: { parameters: { dataDir: string; shards: number; isSabotaged: boolean }; result: null };
  /** A thread of the plane has a fault; answered when it is noticed. shard null: the KMS thread */
  lose: {
    parameters: { shard: number | null; kind: 'terminate' | 'throw' | 'exit' | 'hang' };
    result: null;
  };
  /** A verb of the plane. Its beginning and end stand in the file of the load, if it has a mark. */
  call: {
    parameters: { verb: string; parameters: Record<string, unknown>; mark?: string };
    result: Record<string, unknown>;
  };
  attach: { parameters: { diskId: string; disk: number }; result: null };
  detach: { parameters: { disk: number }; result: null };
  /** Reads so many units into a file. */
  dump: { parameters: { disk: number; units: number; file: string }; result: null };
  load: { parameters: LoadOptions; result: { operations: number } };
  stop: { parameters: Record<string, never>; result: null };
  check: { parameters: Record<string, never>; result: { problems: readonly string[] } };
  close: { parameters: Record<string, never>; result: null };
}

export type CommandName = keyof Commands;

export interface CommandLine {
  readonly id: number;
  readonly name: CommandName;
  readonly parameters: Commands[CommandName]['parameters'];
}

export type AnswerLine =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string } };
