/** What `sealdisk overhead` found, in words, as a table and as JSON. */
import type { Overhead } from '../load/paired-overhead.ts';
import type { ComparisonRow } from '../load/report.ts';
import { duration, megabytes, shortCount, textTable } from '../load/text-table.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { packageVersion } from './package-files.ts';

export interface SubjectResult {
  readonly name: string;
  readonly isModelled: boolean;
  readonly rows: readonly ComparisonRow[];
  /** Over both workloads; null: interrupted. */
  readonly overhead: Overhead | null;
}

const SCHEMA_ID = 'sealdisk-overhead/1';
/** Of the plain rate, what an encrypted disk of the cloud is to keep. */
const FLOOR = 0.97;

/** What is kept of the plain rate, by the figure and at the ends of its interval. */
function kept({ percent, low, high }: Overhead): { all: number; low: number; high: number } {
  return { all: 1 - percent / 100, low: 1 - high / 100, high: 1 - low / 100 };
}

/** By the ends of the intervals: a figure alone may be luck. */
export function verdictOf(results: readonly SubjectResult[]): ExitCode {
  const modelled = results.flatMap(({ isModelled, overhead }) =>
    isModelled && overhead !== null ? [kept(overhead)] : [],
  );
  if (modelled.some(({ high }) => high < FLOOR)) return EXIT.failed;
  return modelled.every(({ low }) => low >= FLOOR) ? EXIT.ok : EXIT.cannotTell;
}

export function sentenceOf(verdict: ExitCode): string {
  const claim = `modelled disks keep ${FLOOR} of the plain rate when they are encrypted`;
  if (verdict === EXIT.ok) return `${claim}: it holds`;
  if (verdict === EXIT.failed) return `${claim}: it does not hold here`;
  if (verdict === EXIT.interrupted) return 'interrupted: the figures are of what was done';
  const advice = 'try more --seconds, or a machine that does nothing else';
  return `${claim}: cannot tell, the intervals are too wide; ${advice}`;
}

export function tableOf(results: readonly SubjectResult[]): string {
  const columns = ['plain IOPS', 'encrypted', 'p50', 'plain MB/s', 'encrypted', 'p50'];
  const table = textTable(
    [
      { title: 'disk', align: 'left' },
      ...columns.map((title, at) => ({
        title: at % 3 === 0 ? `${at === 0 ? '4k' : '128k'} ${title}` : title,
      })),
      { title: 'encrypted/plain' },
      { title: 'pairs' },
    ],
    results.map(({ name, rows, overhead }) => [
      name,
      ...cellsOf(rows[0], (rate) => shortCount(rate.requestsPerSecond)),
      ...cellsOf(rows[1], (rate) => megabytes(rate.bytesPerSecond)),
      ratioText(overhead),
      `${overhead?.pairs ?? 0}`,
    ]),
  );
  return `${table}\n`;
}

type Rate = NonNullable<ComparisonRow['plain']>;

function cellsOf(row: ComparisonRow | undefined, text: (rate: Rate) => string): string[] {
  const { plain = null, encrypted = null } = row ?? {};
  if (plain === null || encrypted === null) return ['-', '-', '-'];
  return [text(plain), text(encrypted), duration(encrypted.p50Ns)];
}

function ratioText(overhead: Overhead | null): string {
  if (overhead === null) return '-';
  const { all, low, high } = kept(overhead);
  return `${all.toFixed(3)} (${low.toFixed(3)}-${high.toFixed(3)})`;
}

export function jsonOf(
  results: readonly SubjectResult[],
  seconds: number,
  verdict: ExitCode,
): string {
  const rows = results.map(({ name, isModelled, rows: workloads, overhead }) => ({
    disk: name,
    performance: isModelled ? 'modelled' : 'unlimited',
    encrypted_to_plain: overhead === null ? null : kept(overhead),
    pairs: overhead?.pairs ?? 0,
    workloads: workloads.map(({ workload, plain, encrypted, overhead: one }) => ({
      workload,
      plain,
      encrypted,
      encrypted_to_plain: one === null ? null : kept(one),
    })),
  }));
  const document = {
    schema: SCHEMA_ID,
    version: packageVersion(),
    seconds,
    floor: FLOOR,
    holds: verdict === EXIT.ok ? true : verdict === EXIT.failed ? false : null,
    rows,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
