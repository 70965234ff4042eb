/** `sealdisk check`: is everything in a data directory as it should be? Nothing is changed. */
import { existsSync } from 'node:fs';
import type { checkDirectory } from '../index.ts';
import { EXIT, type ExitCode, UsageError } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

export interface CheckFlags {
  readonly rootKeyFile?: string;
  readonly json?: boolean;
}

const SCHEMA_ID = 'sealdisk-check/1';

/** Runs the command: EXIT.failed, and one sentence per problem, if there are any. */
export async function runCheck(
  directory: string,
  flags: CheckFlags,
  check: typeof checkDirectory,
  terminal: Terminal,
): Promise<ExitCode> {
  if (!existsSync(directory)) throw new UsageError(`check: there is no directory ${directory}`);
  const found = await check(directory, flags.rootKeyFile ?? null);
  const isOk = found.problems.length === 0;
  if (flags.json === true) {
    terminal.print(`${JSON.stringify({ schema: SCHEMA_ID, ok: isOk, ...found }, null, 2)}\n`);
  } else {
    for (const problem of found.problems) terminal.print(`${problem}\n`);
    terminal.print(
      `${isOk ? 'ok' : `${found.problems.length} problems`}: ${found.disks} disks, ` +
        `${found.snapshots} snapshots, ${found.sectorsChecked} sectors read; ` +
        `${found.leftOvers} left-overs, which the next open removes\n`,
    );
  }
  return isOk ? EXIT.ok : EXIT.failed;
}
