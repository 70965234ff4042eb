/**
 * `sealdisk compare`: reports of the load generator, and fio's own JSON, side by side.
 *
 * Exit codes: 0 compared, 2 a file is no report, 3 the reports have no job in common.
 */
import { readFileSync } from 'node:fs';
import { comparePage } from '../load/page/compare-page.ts';
import { readDocument } from '../load/page/report-document.ts';
import {
  compareReports,
  compareTable,
  documentOf,
  hasCommonRows,
  readReport,
} from '../load/report-compare.ts';
import { EXIT, type ExitCode, UsageError } from './exit-codes.ts';
import { writePage } from './page-assets.ts';
import type { Terminal } from './terminal.ts';

export interface CompareFlags {
  readonly json?: boolean;
  readonly html?: string;
}

/** Runs the command. */
export function runCompare(
  fileNames: readonly string[],
  flags: CompareFlags,
  terminal: Terminal,
): ExitCode {
  if (fileNames.length < 2) throw new UsageError('expected two reports or more to compare');
  const texts = fileNames.map(readText);
  const reports = texts.map((text, at) => readReport(text) ?? refuse(fileNames[at]!));
  const rows = compareReports(reports);
  const document = { schema: 'sealdisk-compare/1', reports: fileNames, rows };
  terminal.print(
    flags.json === true ? `${JSON.stringify(document, null, 2)}\n` : compareTable(fileNames, rows),
  );
  if (flags.html !== undefined) {
    const compared = texts.map((text, at) => {
      const name = fileNames[at]!;
      return { name, document: readDocument(documentOf(text)) ?? refuse(name) };
    });
    writePage(flags.html, comparePage(compared));
  }
  if (hasCommonRows(rows)) return EXIT.ok;
  terminal.say('the reports have no job in common');
  return EXIT.cannotTell;
}

function refuse(fileName: string): never {
  throw new UsageError(`${fileName}: expected a report of sealdisk load --json or of fio`);
}

function readText(fileName: string): string {
  try {
    return readFileSync(fileName, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${fileName}: ${(error as Error).message}`);
  }
}
