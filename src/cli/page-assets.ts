/**
 * What a page is made with: the chart library, our script and our style, read from the package.
 *
 * The only file that knows uplot. It is not imported: its code runs in the reader's browser, so its
 * files are put into the page as they are.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Page, type PageAssets, renderPage } from '../load/page/page.ts';
import { UsageError } from './exit-codes.ts';
import { packageFile } from './package-files.ts';

/** @throws UsageError the file cannot be written. What it holds stays as it is. */
export function checkWritable(fileName: string): void {
  write(fileName, '', 'a');
}

/** Renders a page into a file. */
export function writePage(fileName: string, page: Page): void {
  write(fileName, renderPage(page, pageAssets()), 'w');
}

function write(fileName: string, text: string, flag: 'a' | 'w'): void {
  try {
    writeFileSync(fileName, text, { flag });
  } catch (error) {
    throw new UsageError(`cannot write ${fileName}: ${(error as Error).message}`);
  }
}

function pageAssets(): PageAssets {
  const { resolve } = createRequire(import.meta.url);
  const library = dirname(resolve('uplot/dist/uPlot.iife.min.js'));
  const read = (path: string): string => readFileSync(path, 'utf8');
  return {
    scripts: [read(join(library, 'uPlot.iife.min.js')), read(packageFile('assets/report.js'))],
    style: read(join(library, 'uPlot.min.css')) + read(packageFile('assets/report.css')),
    hashOf: (text) => createHash('sha256').update(text).digest('base64'),
  };
}
