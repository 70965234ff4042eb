/**
 * A job file cut into short turns, to be run beside another in between.
 *
 * 1. A job's runtime is divided into turns of about TURN_MS; a job without one gets TURNS_UNSAID.
 * 2. What ends a job otherwise (size, number_ios, loops) does not end it: the pattern begins again.
 * 3. Ramps, start delays and reading back are left out: the first pair of turns is the warm-up. A
 *    rate is not watched until it is steady, and a search for a depth goes on over all turns.
 */
import type { Job, JobFile } from './job.ts';

export interface TurnPlan {
  readonly file: JobFile;
  /** Turns of each disk, the warm-up among them. */
  readonly turns: number;
}

const TURN_MS = 500;
const TURNS_UNSAID = 13;
const TURNS_MIN = 7;
const TURNS_MAX = 61;

export function turnsOf(file: JobFile): TurnPlan {
  const longestMs = file.jobs.reduce((most, job) => Math.max(most, job.runtimeUs / 1e3), 0);
  const wanted = longestMs === 0 ? TURNS_UNSAID : Math.round(longestMs / TURN_MS) + 1;
  const turns = Math.min(TURNS_MAX, Math.max(TURNS_MIN, wanted));
  const turnMs = longestMs === 0 ? TURN_MS : longestMs / (turns - 1);
  return { file: inTurnsOf(file, turnMs), turns };
}

/** The file with jobs each of whose runs is a turn of that length. */
export function inTurnsOf(file: JobFile, turnMs: number): JobFile {
  const jobs = file.jobs.map(
    (job): Job => ({
      ...job,
      runtimeUs: turnMs * 1e3,
      isTimeBased: true,
      requestsMax: 0,
      rampUs: 0,
      startDelayUs: 0,
      verifiesAfter: false,
      latencyGoesOn: true,
    }),
  );
  return { ...file, jobs };
}
