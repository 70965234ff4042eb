/**
 * `sealdisk compare`: reports of the load generator, and fio's own JSON, side by side.
 *
 * Exit codes: 0 compared, 2 a file is no report, 3 the reports have no job in common.
 */
import { readFileSync } from 'node:fs';
import { compareReports, compareTable, hasCommonRows, readReport } from '../load/report-compare.ts';
import { EXIT, type ExitCode, UsageError } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

export interface CompareFlags {
  readonly json?: boolean;
}

/** Runs the command. */
export function runCompare(
  fileNames: readonly string[],
  flags: CompareFlags,
  terminal: Terminal,
): ExitCode {
  if (fileNames.length < 2) throw new UsageError('expected two reports or more to compare');
  const reports = fileNames.map((fileName) => {
    const report = readReport(readText(fileName));
    if (report === null) {
      throw new UsageError(`${fileName}: expected a report of sealdisk load --json or of fio`);
    }
    return report;
  });
  const rows = compareReports(reports);
  const document = { schema: 'sealdisk-compare/1', reports: fileNames, rows };
  terminal.print(
    flags.json === true ? `${JSON.stringify(document, null, 2)}\n` : compareTable(fileNames, rows),
  );
  if (hasCommonRows(rows)) return EXIT.ok;
  terminal.say('the reports have no job in common');
  return EXIT.cannotTell;
}

function readText(fileName: string): string {
  try {
    return readFileSync(fileName, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${fileName}: ${(error as Error).message}`);
  }
}
