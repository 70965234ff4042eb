/**
 * `npm run gate:proof -- [--times N] [--seconds N] [--job FILE] [--only slow|same] [--json FILE]
 * [--record FILE]`: what the gate says of a slow-down that is there, and of one that is not.
 *
 * Three copies of the build are made: two as they are, and one whose engine takes a tenth longer
 * over every request: when it has executed one (encrypted, hashed and stored it, in the thread of
 * the shard), it stands still for a tenth of the time that took. What that amounts to in a job is
 * less, by the engine's share of the job: the table says what was seen. `sealdisk gate ab`
 * compares the first with the slow one, and with the other, N times in turns.
 *
 * Right is: regression every time for the slow one, and never for the other, which it may be unable
 * to tell. Exit code 1 if one verdict was wrong. --json keeps the reports. --record keeps the turns
 * of the runs without a slow-down, as parts of their median: the machine's noise, which
 * test/unit/gate/machines has of some machines.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './reference.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SEALDISK = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
/** Where a shard executes a request, in the build; its name is left to the plant. */
const ENGINE = 'dist/src/shard/execute.js';
const HEAD = 'export function executeSlot(';
const PLANT = `
export function executeSlot(...slot) {
    const began = performance.now();
    const executed = executeSlotItself(...slot);
    const ended = performance.now();
    while (performance.now() - ended < (ended - began) / 10);
    return executed;
}
`;
const MS_MAX = 3_600_000;

interface Row {
  readonly name: string;
  readonly verdict: string;
  readonly change: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly smallest: number | null;
  readonly rounds: number;
  readonly unit: string;
  readonly isBiggerBetter: boolean;
  readonly summary: string;
  readonly turns: { readonly a: readonly number[]; readonly b: readonly number[] };
}

interface Report {
  readonly verdict: string;
  readonly tookSeconds: number;
  readonly rows: readonly Row[];
}

interface Contender {
  readonly name: 'slow' | 'same';
  readonly command: string;
}

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '60' },
    job: { type: 'string', default: join(ROOT, 'bench/jobs/gate.fio') },
    only: { type: 'string' },
    json: { type: 'string' },
    record: { type: 'string' },
  },
});

/** A copy of the build. @returns the command line that loads it */
function copyOfBuild(folder: string, isSlow: boolean): string {
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir');
  if (isSlow) {
    const file = join(folder, ENGINE);
    const text = readFileSync(file, 'utf8');
    if (!text.includes(HEAD)) throw new Error(`${ENGINE}: the place for the plant is not there`);
    writeFileSync(file, text.replace(HEAD, 'function executeSlotItself(') + PLANT);
  }
  const main = join(folder, 'dist/src/cli/main.js');
  return `exec '${process.execPath}' '${main}' load '${values.job}' --json --quiet`;
}

function gate(a: string, b: string): Report {
  const words = ['gate', 'ab', '--in-turns', '--a', a, '--b', b, '--seconds', values.seconds];
  const { stdout, stderr } = spawnSync(process.execPath, [SEALDISK, ...words, '--json'], {
    encoding: 'utf8',
    timeout: MS_MAX,
    maxBuffer: 2 ** 28,
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Report;
}

const percent = (part: number | null): string =>
  part === null ? 'none' : `${(part * 100).toFixed(1)} %`;

const tableLine = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** A line for each metric of a run; what is of the run stands in the first. */
function linesOf(time: number, name: string, report: Report, isRight: boolean): string[] {
  return report.rows.map(({ name: metric, verdict, change, low, high, smallest, rounds }, at) => {
    const verdictOfRun = isRight ? report.verdict : `${report.verdict}, WRONG`;
    const ofRun = [`${time}`, name, verdictOfRun, `${report.tookSeconds.toFixed(0)}`, `${rounds}`];
    const interval = `${percent(low)} to ${percent(high)}`;
    const ofMetric = [metric, percent(change), interval, percent(smallest), verdict];
    return tableLine([...(at === 0 ? ofRun : ['', '', '', '', '']), ...ofMetric]);
  });
}

const HEADINGS = [
  ...['', 'B is', 'verdict', 'seconds', 'rounds', 'metric', 'B against A', 'interval'],
  ...['would have seen', 'of the metric'],
];

/** The pairs of processes of runs of the same against the same, of each metric. */
function noiseOf(reports: readonly Report[]): unknown {
  const pairs = reports.reduce((sum, { rows }) => sum + rows[0]!.rounds, 0);
  const seconds = reports.reduce((sum, { tookSeconds }) => sum + tookSeconds, 0);
  const metrics = reports[0]!.rows.map(({ name, unit, isBiggerBetter, summary }, at) => {
    const rows = reports.map((report) => report.rows[at]!);
    const typical = median(rows.flatMap(({ turns }) => [...turns.a, ...turns.b]));
    const parts = (turns: readonly number[]): number[] =>
      turns.map((turn) => Number((turn / typical).toFixed(3)));
    return {
      metric: { name, unit, isBiggerBetter, summary },
      pairs: rows.flatMap(({ turns, rounds }) => {
        const count = turns.a.length / rounds;
        return Array.from({ length: rounds }, (_, round) => ({
          one: parts(turns.a.slice(round * count, (round + 1) * count)),
          other: parts(turns.b.slice(round * count, (round + 1) * count)),
        }));
      }),
    };
  });
  return { pairSeconds: Number((seconds / pairs).toFixed(2)), metrics };
}

function keep(reports: readonly (Report & { readonly name: string })[]): void {
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(reports));
  const same = reports.filter(({ name }) => name === 'same');
  if (values.record === undefined || same.length === 0) return;
  // A pair a line.
  const text = JSON.stringify(noiseOf(same)).replaceAll('{"', '\n{"');
  writeFileSync(values.record, `${text.trim()}\n`);
}

/** @returns the runs whose verdict was wrong */
function prove(plain: string, contenders: readonly Contender[]): string[] {
  const wrong: string[] = [];
  const reports: (Report & { readonly name: string })[] = [];
  const right: Record<string, number> = {};
  console.log(`${tableLine(HEADINGS)}\n${tableLine(HEADINGS.map(() => '---'))}`);
  const began = performance.now();
  for (let time = 1; time <= Number(values.times); time++) {
    for (const { name, command } of contenders) {
      const report = gate(plain, command);
      const isRight = (report.verdict === 'regression') === (name === 'slow');
      if (isRight) right[name] = (right[name] ?? 0) + 1;
      else wrong.push(`${name} ${time}`);
      console.log(linesOf(time, name, report, isRight).join('\n'));
      reports.push({ ...report, name });
      keep(reports);
    }
  }
  const sums = contenders.map(
    ({ name }) => `${name}: ${right[name] ?? 0} of ${values.times} right`,
  );
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  console.log(`\n${sums.join(', ')}; ${minutes} minutes`);
  return wrong;
}

function main(): void {
  const folder = mkdtempSync(join(tmpdir(), 'sealdisk-gate-proof-'));
  let wrong: string[];
  try {
    const plain = copyOfBuild(join(folder, 'plain'), false);
    const contenders: readonly Contender[] = [
      { name: 'slow', command: copyOfBuild(join(folder, 'slow'), true) },
      { name: 'same', command: copyOfBuild(join(folder, 'same'), false) },
    ];
    wrong = prove(
      plain,
      contenders.filter(({ name }) => values.only === undefined || name === values.only),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(wrong.length === 0 ? 'every verdict was right' : `wrong: ${wrong.join(', ')}`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

main();
