/**
 * Whether a flush is one: a kill cannot tell, for it loses no page of the system's cache. So one
 * caller makes one request after the other under strace, and the trace is looked at:
 *
 * every file that was written to between a write's beginning and its acknowledgement has been
 * forced to stable storage, after that, when a later flush is acknowledged – or the write itself,
 * with FUA.
 *
 * One thing is let be: behind the mark it has just forced, a log notes that it was (journal.ts, 2).
 *
 * The lines of the history are in the trace too: each is written by a system call of its own. The
 * library is the usual build: what its background would write is too little to begin with.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { invariant } from '../../src/base/invariant.ts';
import { SECTOR_UNITS } from './content.ts';
import { Ground } from './ground.ts';
import { type Round, violate } from './pass.ts';
import type { HistoryLine } from './protocol.ts';
import { USUAL_LIBRARY } from './small-build.ts';
import { STRACE_ENVIRONMENT } from './strace.ts';

const OPERATIONS = 120;
/** A batch of a map log with no record in it. */
const NOTE_BYTES = 32;
/** What ends a pwrite64, whole or interrupted by others' calls: its length, then its offset. */
const WRITTEN = /, (\d+), \d+(?:\) += .*| <unfinished \.\.\.>)$/;
const CALLS = 'trace=pwrite64,fdatasync,fsync,write';

export async function auditFlushes(round: Round): Promise<void> {
  const trace = join(round.directory, 'trace');
  const disks = [{ Encrypted: round.prng.nextBelow(2) === 0 }];
  const ground = new Ground(round, { shards: 1, disks, units: 64 * SECTOR_UNITS });
  const under = ['strace', '-f', '-qq', '-y', '-s', '200', '-o', trace, '-e', CALLS];
  const victim = round.special({ library: USUAL_LIBRARY, under, environment: STRACE_ENVIRONMENT });
  await ground.open(victim);
  await ground.makeDisks(victim);
  const mix = { w: 8, W: 2, t: 2, f: 3 };
  await ground.load(victim, { operations: OPERATIONS, callers: 1, burst: 1, mix });
  await ground.verify(victim, ground.takeHistory());
  await victim.ask('close', {});
  await victim.kill();
  const { problems, flushes } = audit(readFileSync(trace, 'utf8').split('\n'), ground.dataDir);
  if (flushes === 0) violate(['the trace shows no flush']);
  round.figures.fault('flush looked into');
  violate(problems);
}

/** Writes to a file that are not forced yet; those of acknowledged requests apart. */
interface Dirt {
  /** By path: made by the request under way. */
  readonly fresh: Set<string>;
  /** Made by requests that were acknowledged. */
  readonly settled: Set<string>;
  /** Forced since the request under way began. */
  readonly forced: Set<string>;
}

/** @param lines of strace; @param dataDir the only files that matter are below it */
export function audit(lines: readonly string[], dataDir: string) {
  const dirt: Dirt = { fresh: new Set(), settled: new Set(), forced: new Set() };
  const kinds = new Map<number, string>();
  const problems: string[] = [];
  let flushes = 0;
  for (const { call, path, rest } of callsOf(lines)) {
    if (path.startsWith(`${dataDir}/shard-`)) {
      note(dirt, call, path, rest);
      continue;
    }
    if (call !== 'write' || !path.endsWith('/history')) continue;
    for (const line of historyLinesIn(rest)) {
      if (line[0] === 'i') {
        kinds.set(line[1], line[2]);
        // What is written outside of requests is nobody's.
        dirt.fresh.clear();
        dirt.forced.clear();
      } else if (line[0] === 'a') {
        const kind = kinds.get(line[1]);
        for (const file of dirt.fresh) if (kind !== 'f') dirt.settled.add(file);
        const isForced = kind === 'f' || kind === 'W';
        if (!isForced) continue;
        flushes++;
        const left = kind === 'f' ? [...dirt.settled] : [...dirt.fresh];
        if (left.length > 0) {
          problems.push(`request ${line[1]} (${kind}) was acknowledged before ${left} was forced`);
        }
      }
    }
  }
  return { problems, flushes };
}

function note(dirt: Dirt, call: string, path: string, rest: string): void {
  if (call === 'pwrite64') {
    const length = Number(WRITTEN.exec(rest)?.[1]);
    invariant(Number.isSafeInteger(length), 'a pwrite64 of another form');
    const isNote = path.endsWith('.log') && length <= NOTE_BYTES && dirt.forced.has(path);
    if (!isNote) dirt.fresh.add(path);
  } else if (call === 'fdatasync' || call === 'fsync') {
    dirt.fresh.delete(path);
    dirt.settled.delete(path);
    dirt.forced.add(path);
  }
}

/** Calls as they were completed; a call that was interrupted by others' counts where it resumed. */
function* callsOf(lines: readonly string[]) {
  const begun = new Map<string, string>();
  for (const line of lines) {
    const thread = /^\d+/.exec(line)?.[0] ?? '';
    if (line.includes('<unfinished ...>')) {
      begun.set(thread, line);
      continue;
    }
    const whole = line.includes(' resumed>') ? (begun.get(thread) ?? '') : line;
    const parsed = /^\d+ +(\w+)\(\d+<([^>]*)>(.*)$/.exec(whole);
    if (parsed !== null) yield { call: parsed[1]!, path: parsed[2]!, rest: parsed[3]! };
  }
}

/** The lines of a history that one call wrote, from strace's way of showing them. */
function historyLinesIn(shown: string): HistoryLine[] {
  const text = /"((?:[^"\\]|\\.)*)"/.exec(shown)?.[1] ?? '';
  const lines = text.replaceAll('\\"', '"').split('\\n');
  lines.pop();
  return lines.map((line) => JSON.parse(line) as HistoryLine);
}
