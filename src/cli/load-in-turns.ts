/**
 * `sealdisk load JOB --in-turns MS`: a turn of the jobs for each line on stdin, until its end.
 *
 * stdout has a line of JSON for each: first one that names the protocol, when the disks are laid
 * out; then for each line read what the jobs did in a turn (job-turns.ts). It is what `sealdisk
 * gate ab` keeps two of side by side. A request that fails ends it.
 */
import { createInterface } from 'node:readline';
import type { RunPlan } from '../load/job-plan.ts';
import { JobTurns } from '../load/job-turns.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { LoadTargets } from './load-targets.ts';
import type { Terminal } from './terminal.ts';

/** What a line is: other fields may come. src/gate/turn-session.ts reads it. */
const TURNS_SCHEMA_ID = 'sealdisk-load-turns/1';

export async function runInTurns(
  plan: RunPlan,
  targets: LoadTargets,
  terminal: Terminal,
): Promise<ExitCode> {
  const print = (document: unknown): void => terminal.print(`${JSON.stringify(document)}\n`);
  const turns = new JobTurns(plan, (name) => targets.open(name));
  try {
    await turns.open();
    print({ schema: TURNS_SCHEMA_ID });
    for await (const _ of createInterface({ input: process.stdin })) {
      print({ jobs: await turns.turn() });
    }
  } finally {
    await turns.close();
  }
  return EXIT.ok;
}
