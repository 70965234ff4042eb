/** What a benchmark run found: as data that is kept, and as a table that is read. */
import { execFileSync } from 'node:child_process';
import { cpus, release } from 'node:os';
import type { BenchRow } from './micro/row.ts';
import { median } from './reference.ts';

export interface ReportRow extends BenchRow {
  /** The benchmark file, without its ending. */
  readonly suite: string;
  /** bytesPerSecond / R; null where either is. */
  readonly partOfReference: number | null;
}

export interface BenchReport {
  readonly schema: 'sealdisk-bench/1';
  /** ISO 8601, UTC. */
  readonly date: string;
  /** Of the code measured; `-dirty` at its end if there were changes not committed. */
  readonly commit: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly kernel: string;
    readonly node: string;
    readonly openssl: string;
  };
  /** True: far too short to be quoted. */
  readonly isSmoke: boolean;
  /** R in bytes per second: the median of the samples, which were taken between the benchmarks. */
  readonly reference: number | null;
  readonly referenceSamples: readonly number[];
  readonly rows: readonly ReportRow[];
}

export function makeReport(
  suites: readonly { readonly suite: string; readonly rows: readonly BenchRow[] }[],
  referenceSamples: readonly number[],
  isSmoke: boolean,
): BenchReport {
  const reference = referenceSamples.length === 0 ? null : median(referenceSamples);
  const part = (bytes: number | null): number | null =>
    bytes === null || reference === null ? null : bytes / reference;
  return {
    schema: 'sealdisk-bench/1',
    date: new Date().toISOString(),
    commit: commit(),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      kernel: release(),
      node: process.versions.node,
      openssl: process.versions.openssl,
    },
    isSmoke,
    reference,
    referenceSamples,
    rows: suites.flatMap(({ suite, rows }) =>
      rows.map((row) => ({ suite, ...row, partOfReference: part(row.bytesPerSecond) })),
    ),
  };
}

/** File name of a kept report; one of uncommitted code is local, and ignored by git. */
export function reportName(report: BenchReport): string {
  const kind = report.commit.endsWith('-dirty') ? '.local.json' : '.json';
  return `${report.date.slice(0, 10)}-${report.commit}${kind}`;
}

export function renderReport(report: BenchReport): string {
  const { machine } = report;
  const header = ['benchmark', 'ops/s', 'us/op', 'MB/s', 'of R'];
  const lines = report.rows.map((row) => [
    `${row.suite}: ${row.name}`,
    row.opsPerSecond.toFixed(0),
    (1e6 / row.opsPerSecond).toFixed(2),
    row.bytesPerSecond === null ? '-' : (row.bytesPerSecond / 1e6).toFixed(0),
    row.partOfReference === null ? '-' : `${(row.partOfReference * 100).toFixed(1)} %`,
  ]);
  const reference =
    report.reference === null
      ? 'R: no openssl command'
      : `R: ${(report.reference / 1e6).toFixed(0)} MB/s (openssl speed, aes-256-xts, 4096 bytes)`;
  return [
    ...alignColumns([header, ...lines]),
    '',
    reference,
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}`,
    `Node ${machine.node}, OpenSSL ${machine.openssl}, commit ${report.commit}`,
    ...(report.isSmoke ? ['smoke run: these figures mean nothing'] : []),
  ].join('\n');
}

/** The first column to the left, figures to the right. */
function alignColumns(table: readonly (readonly string[])[]): string[] {
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((line) => line[column]?.length ?? 0)),
  );
  return table.map((line) =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** The commit the code stands at, `unknown` outside a repository. */
function commit(): string {
  try {
    const hash = git('rev-parse', '--short', 'HEAD');
    return git('status', '--porcelain') === '' ? hash : `${hash}-dirty`;
  } catch {
    // No git, or not a repository: a package that was unpacked. The report says so.
    return 'unknown';
  }
}

function git(...parameters: string[]): string {
  const cwd = import.meta.dirname;
  return execFileSync('git', parameters, { cwd, stdio: ['ignore', 'pipe', 'ignore'] })
    .toString()
    .trim();
}
