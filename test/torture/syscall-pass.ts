/**
 * Kill at every system call that changes a file: the script is played once to count them, then once
 * for each with the process killed as it makes that call.
 */
import { join } from 'node:path';
import { type Round, violate } from './pass.ts';
import { Script } from './script.ts';
import { shuffle } from './shuffle.ts';
import { straceCommand } from './strace.ts';

/** Points of one round, where not all are asked for. */
const POINTS = 4;

export const killAtSomeCalls = (round: Round): Promise<void> => killAtCalls(round, POINTS);
export const killAtEveryCall = (round: Round): Promise<void> => killAtCalls(round, Infinity);

async function killAtCalls(round: Round, pointsMax: number): Promise<void> {
  const { figures, directory } = round;
  const script = new Script(round);
  await script.prepare();
  const points = shuffle(await script.points(), round.prng);
  if (points.length === 0) violate(['the script makes no system call that changes a file']);
  let done = 0;
  for (const point of points.slice(0, pointsMax)) {
    if (round.isOver()) break;
    const command = straceCommand(join(directory, 'trace'), point, 'signal=SIGKILL:when=%');
    const played = await script.play(command);
    // Threads are not in step from one run to the next: a few points are passed by nobody.
    if (played.isCutOff) {
      figures.kill(`kill at ${point.call}`);
    } else {
      figures.fault('kill at a call that was not made');
    }
    violate(played.refusals.map((code) => `refused with ${code}, before any kill`));
    await script.verify(played, new Set());
    done++;
  }
  figures.points(points.length, done);
  await script.end();
}
