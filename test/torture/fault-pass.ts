/**
 * System calls that fail: the n-th of a kind, once or from then on.
 *
 * Whoever asked is told, or the process ends; nothing acknowledged is lost; and once a store has
 * said that it takes no more writes, it acknowledges none (C6, C9).
 */
import { join } from 'node:path';
import { type Round, violate } from './pass.ts';
import type { HistoryLine } from './protocol.ts';
import { type Played, Script } from './script.ts';
import { shuffle } from './shuffle.ts';
import { type FileCall, type Point, straceCommand } from './strace.ts';

const POINTS = 4;

interface Fault {
  readonly call: FileCall;
  readonly error: string;
}

const FAULTS: readonly Fault[] = [
  { call: 'pwrite64', error: 'EIO' },
  { call: 'pwrite64', error: 'ENOSPC' },
  { call: 'fdatasync', error: 'EIO' },
  { call: 'fdatasync', error: 'ENOSPC' },
  { call: 'fsync', error: 'EIO' },
  { call: 'rename', error: 'ENOSPC' },
  { call: 'rename', error: 'EIO' },
];

/** What requests and verbs may be refused with, where the file system fails. */
const REFUSALS: ReadonlySet<string> = new Set([
  'NoSpace',
  'StoreFailed',
  'ReadFailed',
  'PlaneClosed',
  'DataDirectoryCorrupt',
]);

export async function failCalls(round: Round): Promise<void> {
  const { prng, figures, directory } = round;
  const script = new Script(round);
  await script.prepare();
  const points = await script.points();
  const chosen = shuffle(
    FAULTS.flatMap((fault) =>
      points.filter(({ call }) => call === fault.call).map((point) => ({ fault, point })),
    ),
    prng,
  );
  for (const { fault, point } of chosen.slice(0, POINTS)) {
    if (round.isOver()) break;
    const when = prng.nextBelow(2) === 0 ? '%' : '%+';
    const does = `error=${fault.error}:when=${when}`;
    const played = await script.play(straceCommand(join(directory, 'trace'), point, does));
    figures.fault(`${fault.error} of ${fault.call}`);
    violate(problemsOf(played, point));
    await script.verify(played, REFUSALS);
  }
  await script.end();
}

function problemsOf(played: Played, { call }: Point): string[] {
  const { refusals, isCutOff, complaints } = played;
  const problems = refusals
    .filter((code) => !REFUSALS.has(code))
    .map((code) => `refused with ${code} where ${call} failed`);
  // A process that cannot trust its metadata may end itself, but not by a broken invariant.
  if (isCutOff && /InvariantViolation|invariant/i.test(complaints)) problems.push(complaints);
  return [...problems, ...acknowledgedAfterFailure(played.ground.peekLines())];
}

/**
 * A store that has failed takes no more writes: what was asked after it said so must be refused.
 */
function acknowledgedAfterFailure(lines: readonly HistoryLine[]): string[] {
  const late = new Set<number>();
  let hasFailed = false;
  const problems: string[] = [];
  for (const line of lines) {
    if (line[0] === 'e' && line[2] === 'StoreFailed') hasFailed = true;
    else if (line[0] === 'i' && hasFailed && line[2] !== 'r') late.add(line[1]);
    else if (line[0] === 'a' && late.has(line[1])) {
      problems.push(`request ${line[1]} was acknowledged by a store that had failed`);
    }
  }
  return problems;
}
