/** What runs a planned job file: the main thread, or as many threads as were asked for. */
import type { RunPlan } from '../load/job-plan.ts';
import { JobRun } from '../load/job-run.ts';
import { JobThreads } from '../load/job-threads.ts';
import type { Target } from '../load/target.ts';
import { UsageError } from './exit-codes.ts';
import type { LoadFlags } from './load-flags.ts';
import { isForWorkers, isOneDisk, type LoadTargets } from './load-targets.ts';

/** The run of a plan, by this thread or by several. */
export function jobRunOf(
  plan: RunPlan,
  targets: LoadTargets,
  flags: Pick<LoadFlags, 'workers' | 'overwrite'>,
): JobRun | JobThreads {
  const openTarget = (name: string): Promise<Target> => targets.open(name);
  if (flags.workers === undefined) return new JobRun(plan, openTarget);
  const own = plan.disks.find(({ targetName }) => !isForWorkers(targetName));
  if (own !== undefined) {
    throw new UsageError(
      `--workers: disks of target ${own.targetName} belong to the main thread; expected null, ` +
        'memory, file:PATH or nbd://… (sealdisk nbd exports a disk of the library)',
    );
  }
  return new JobThreads({
    plan,
    threads: Number(flags.workers),
    openTarget,
    opensTwice: (name) => name === 'null' || isOneDisk(name),
    overwrites: flags.overwrite === true,
  });
}
