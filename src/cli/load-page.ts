/** `sealdisk load --html`: the page of a report. */
import { invariant } from '../base/invariant.ts';
import { loadPage } from '../load/page/load-page.ts';
import { readDocument } from '../load/page/report-document.ts';
import type { LoadReport } from '../load/report.ts';
import { reportDocument } from '../load/report-json.ts';
import { checkWritable, writePage } from './page-assets.ts';

export interface OpenLoadPage {
  write(report: LoadReport): void;
}

/**
 * Before a run: what could not be written is refused now, not when everything has been measured.
 *
 * What is on the page went through the JSON that --json prints.
 */
export function openLoadPage(fileName: string): OpenLoadPage {
  checkWritable(fileName);
  return {
    write: (report) => {
      const printed: unknown = JSON.parse(JSON.stringify(reportDocument(report, true)));
      const document = readDocument(printed);
      invariant(document !== null, 'a report of ours is a report');
      writePage(fileName, loadPage(document));
    },
  };
}
