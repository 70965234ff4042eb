/**
 * `npm run bench -- [--smoke] [--json]`: runs every benchmark in micro/, prints a table (or, with
 * --json, the report alone) and keeps the report in results/.
 *
 * A benchmark file exports one function: (isSmoke) => Promise<BenchRow[]>. R is measured before,
 * between and after the benchmarks, so that a slow hour of the machine slows both.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { BenchRow } from './micro/row.ts';
import { measureReference } from './reference.ts';
import { makeReport, renderReport, reportName } from './report.ts';

type Benchmark = (isSmoke: boolean) => Promise<BenchRow[]>;

const COMPILED = new URL('./micro/', import.meta.url);
/** This file runs from dist/bench/, where deleted benchmarks may still lie: sources count. */
const SOURCES = new URL('../../bench/micro/', import.meta.url);
const RESULTS = new URL('../../bench/results/', import.meta.url);
const ENDING = '.bench.ts';

async function loadBenchmark(file: string): Promise<Benchmark> {
  const compiled = new URL(file.replace(/\.ts$/, '.js'), COMPILED);
  const exported = Object.values((await import(compiled.href)) as object);
  const [benchmark, ...more] = exported.filter((value) => typeof value === 'function');
  if (benchmark === undefined || more.length > 0) {
    throw new Error(`${file} must export one function, (isSmoke) => Promise<BenchRow[]>`);
  }
  return benchmark as Benchmark;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { smoke: { type: 'boolean' }, json: { type: 'boolean' } },
  });
  const isSmoke = values.smoke === true;
  const files = readdirSync(SOURCES).filter((file) => file.endsWith(ENDING));
  const referenceBefore = isSmoke ? [0] : [0, files.length >> 1];
  const samples: (number | null)[] = [];
  const suites: { suite: string; rows: BenchRow[] }[] = [];
  for (const [index, file] of files.sort().entries()) {
    if (referenceBefore.includes(index)) samples.push(await measureReference());
    const suite = file.slice(0, -ENDING.length);
    console.error(`${suite} ...`);
    const benchmark = await loadBenchmark(file);
    suites.push({ suite, rows: await benchmark(isSmoke) });
  }
  if (!isSmoke) samples.push(await measureReference());
  const known = samples.filter((sample) => sample !== null);
  const report = makeReport(suites, known, isSmoke);
  console.log(values.json === true ? JSON.stringify(report, null, 2) : renderReport(report));
  if (isSmoke) return;
  mkdirSync(RESULTS, { recursive: true });
  const path = new URL(reportName(report), RESULTS);
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  console.error(`kept as ${fileURLToPath(path)}`);
}

await main();
