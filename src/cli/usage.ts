/** `sealdisk usage`: calls of the KMS API and key days of a month, and what of them is billed. */
import { countOf } from './count-of.ts';
import { type CallerFlags, callerOf, type DirectoryFlags, openExisting } from './data-directory.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { OpenPlane } from './load-targets.ts';
import type { Terminal } from './terminal.ts';

export interface UsageFlags extends DirectoryFlags, CallerFlags {
  readonly month?: string;
}

const SCHEMA_ID = 'sealdisk-usage/1';

/** Runs the command. */
export async function runUsage(
  flags: UsageFlags,
  openPlane: OpenPlane,
  terminal: Terminal,
): Promise<ExitCode> {
  await using plane = await openExisting(openPlane, flags);
  const caller = callerOf(plane, flags);
  const Month = flags.month;
  const usage = await caller.call('DescribeUsage', Month === undefined ? {} : { Month });
  if (flags.json === true) {
    terminal.print(`${JSON.stringify({ schema: SCHEMA_ID, ...usage }, null, 2)}\n`);
    return EXIT.ok;
  }
  const billed = (isBilled: boolean): string => (isBilled ? 'billed' : 'free');
  const rows = [
    ...usage.Operations.map((line) => [
      line.KMSKeyId,
      `${line.KeyKind} key`,
      line.Operation,
      countOf(line.Calls, 'call'),
      billed(line.IsBilled),
    ]),
    ...usage.Keys.map((key) => [
      key.KMSKeyId,
      `${key.KeyKind} key`,
      'key',
      countOf(key.Days, 'day'),
      billed(key.IsBilled),
    ]),
  ];
  terminal.print(
    `${usage.RegionId} ${usage.Month}: ${countOf(usage.CountedCalls, 'call')} of the KMS API, ` +
      `${usage.BilledCalls} billed; ${countOf(usage.BilledKeyDays, 'key day')} billed\n`,
  );
  terminal.print(columns(rows));
  terminal.say('Encryption itself, the service key, reading and writing are free: see --json.');
  return EXIT.ok;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map(
      (row) =>
        `  ${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
