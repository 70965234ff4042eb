/**
 * Jobs that are run a turn at a time, when asked: for whoever compares this process with another
 * that stays alive beside it, and has the machine for itself meanwhile.
 *
 * Disks are opened and laid out once. A turn runs every stage for the time of a turn and says what
 * each job did in it and what the process spent. Between turns nothing is asked of the target, so
 * the process is idle but for what its threads do by themselves.
 */
import { PlaneError } from '../base/errors.ts';
import type { CloneRun } from './clone-run.ts';
import type { RunPlan } from './job-plan.ts';
import { costOf, JobRun, type TargetOpener } from './job-run.ts';

/** A machine may stand still for longer than a turn: one in which a job did nothing goes on. */
const ATTEMPTS_MAX = 100;

/** What a job did in a turn. */
export interface JobTurn {
  readonly name: string;
  readonly requests: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  /** All threads, user and system; of jobs of one stage, in proportion to their requests. */
  readonly cpuMs: number;
}

export class JobTurns {
  readonly #run: JobRun;
  #stages: readonly (readonly CloneRun[])[] = [];

  constructor(plan: RunPlan, openTarget: TargetOpener) {
    this.#run = new JobRun(plan, openTarget);
  }

  async open(): Promise<void> {
    this.#stages = await this.#run.open();
  }

  /** Runs every stage once. @throws what a request failed with */
  async turn(): Promise<JobTurn[]> {
    const turns: JobTurn[] = [];
    for (const clones of this.#stages) turns.push(...(await turnOf(clones)));
    return turns;
  }

  close(): Promise<void> {
    return this.#run.close();
  }
}

async function turnOf(clones: readonly CloneRun[]): Promise<JobTurn[]> {
  const before = clones.map(madeBy);
  const { elapsedMs, userPercent, systemPercent } = await costOf(async () => {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      await Promise.all(clones.map((clone) => clone.run()));
      const failed = clones.find(({ error }) => error !== null);
      if (failed !== undefined) throw asError(failed.error);
      if (clones.every((clone, at) => madeBy(clone).requests > before[at]!.requests)) return;
    }
  });
  const made = clones.map(madeBy).map(({ name, requests, bytes }, at) => ({
    name,
    requests: requests - before[at]!.requests,
    bytes: bytes - before[at]!.bytes,
  }));
  const all = made.reduce((sum, { requests }) => sum + requests, 0);
  const cpuMs = ((userPercent + systemPercent) / 100) * elapsedMs;
  return [...new Set(made.map(({ name }) => name))].map((name) => {
    const own = made.filter((each) => each.name === name);
    const requests = own.reduce((sum, each) => sum + each.requests, 0);
    const bytes = own.reduce((sum, each) => sum + each.bytes, 0);
    return { name, requests, bytes, elapsedMs, cpuMs: (cpuMs * requests) / Math.max(1, all) };
  });
}

function madeBy({ plan, stats }: CloneRun): Pick<JobTurn, 'name' | 'requests' | 'bytes'> {
  return { name: plan.job.name, requests: stats.requests(), bytes: stats.bytes() };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new PlaneError('InvalidArgument', String(error));
}
