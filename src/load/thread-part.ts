/**
 * A part of a run, as a thread of the load generator runs it: told when stages begin, telling how
 * far it is and what its clones came to.
 *
 * **Thread:** load.
 */
import { PlaneError } from '../base/errors.ts';
import type { FinishedClone } from './clone-run.ts';
import { JobRun, type TargetOpener } from './job-run.ts';
import type {
  CloneRecord,
  FailureRecord,
  PartCommand,
  PartReport,
  PartStart,
} from './thread-message.ts';

/** What is used of a message port. */
export interface PartPort {
  postMessage(report: PartReport): void;
  on(event: 'message', listener: (command: PartCommand) => void): unknown;
}

const PROGRESS_MS = 200;

/** Runs a part to its end. Never rejects: what went wrong is told. */
export async function runPart(
  { plan, logDirectory }: PartStart,
  openTarget: TargetOpener,
  port: PartPort,
): Promise<void> {
  let release: () => void = () => {};
  let isStopped = false;
  const gate = (stage: number): Promise<void> => {
    port.postMessage({ kind: 'reached', stage });
    if (isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      release = resolve;
    });
  };
  const run = new JobRun(plan, openTarget, logDirectory, gate);
  port.on('message', (command) => {
    if (command === 'stop') {
      isStopped = true;
      run.stop();
    }
    release();
  });
  const timer = setInterval(() => {
    const activities = run.activities();
    port.postMessage({ kind: 'progress', progress: run.progress(), activities });
  }, PROGRESS_MS);
  try {
    const results = await run.run();
    port.postMessage({ kind: 'finished', clones: results.map((result) => recordOf(result.run)) });
  } catch (error) {
    port.postMessage({ kind: 'failed', error: failureOf(error) });
  } finally {
    clearInterval(timer);
  }
}

function recordOf(clone: FinishedClone): CloneRecord {
  const { plan, stats, error, log, isVerified, steady, search, failures } = clone;
  const { count, checkedUnits, uncheckedUnits, first } = log;
  const record = {
    number: plan.number,
    stats: stats.toRecord(),
    error: error === null ? null : failureOf(error),
    log: { count, checkedUnits, uncheckedUnits, first },
    isVerified,
    steady,
    search,
    failures: {
      count: failures.count,
      first: failures.first === null ? null : failureOf(failures.first),
    },
  };
  stats.release();
  return record;
}

function failureOf(error: unknown): FailureRecord {
  if (error instanceof PlaneError) return error.toRecord();
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
