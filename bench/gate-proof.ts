/**
 * `npm run gate:proof -- [--times N] [--seconds N] [--job FILE]`: what the gate says of a slow-down
 * that is there, and of one that is not.
 *
 * Three copies of the build are made: two as they are, and one whose engine stands still for 1 ms
 * in every 10, in the thread that encrypts, before it executes a request: a slow-down of 10 %
 * whatever the machine. The gate compares the first with the second, and with the slow one, N times
 * in turns. Right is: regression every time for the slow one, and never for the other, which it may
 * be unable to tell. Exit code 1 if one verdict was wrong.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SEALDISK = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
/** Where a shard executes a request, in the build, and the line the plant stands after. */
const ENGINE = 'dist/src/shard/execute.js';
const HEAD = /^export function executeSlot\(.*\{$/m;
const PLANT = `
    if (performance.now() - lastStop >= 9) {
        const until = performance.now() + 1;
        while (performance.now() < until);
        lastStop = until;
    }`;
const MS_MAX = 3_600_000;

interface Row {
  readonly name: string;
  readonly verdict: string;
  readonly change: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly smallest: number | null;
  readonly rounds: number;
}

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '60' },
    job: { type: 'string', default: join(ROOT, 'bench/jobs/gate.fio') },
  },
});

/** A copy of the build. @returns the command line that takes a turn with it */
function copyOfBuild(folder: string, isSlow: boolean): string {
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir');
  if (isSlow) {
    const file = join(folder, ENGINE);
    const text = readFileSync(file, 'utf8');
    if (!HEAD.test(text)) throw new Error(`${ENGINE}: the place for the plant is not there`);
    const planted = text.replace(
      HEAD,
      (head) => `let lastStop = performance.now();\n${head}${PLANT}`,
    );
    writeFileSync(file, planted);
  }
  const main = join(folder, 'dist/src/cli/main.js');
  return `exec '${process.execPath}' '${main}' load '${values.job}' --json --quiet`;
}

function gate(a: string, b: string): { verdict: string; rows: readonly Row[] } {
  const words = ['gate', 'ab', '--a', a, '--b', b, '--seconds', values.seconds, '--json'];
  const { stdout, stderr } = spawnSync(process.execPath, [SEALDISK, ...words], {
    encoding: 'utf8',
    timeout: MS_MAX,
    maxBuffer: 2 ** 28,
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as { verdict: string; rows: readonly Row[] };
}

function describe({ name, verdict, change, low, high, smallest, rounds }: Row): string {
  const percent = (part: number | null): string =>
    part === null ? 'none' : `${(part * 100).toFixed(1)} %`;
  const interval = `${percent(change)} (${percent(low)} to ${percent(high)})`;
  return `${name}: ${verdict} ${interval}, sees ${percent(smallest)}, ${rounds} rounds`;
}

function main(): void {
  const folder = mkdtempSync(join(tmpdir(), 'sealdisk-gate-proof-'));
  const wrong: string[] = [];
  try {
    const plain = copyOfBuild(join(folder, 'plain'), false);
    const contenders = [
      { name: 'slow', command: copyOfBuild(join(folder, 'slow'), true) },
      { name: 'same', command: copyOfBuild(join(folder, 'same'), false) },
    ] as const;
    for (let time = 1; time <= Number(values.times); time++) {
      for (const { name, command } of contenders) {
        const { verdict, rows } = gate(plain, command);
        const isRight = name === 'slow' ? verdict === 'regression' : verdict !== 'regression';
        if (!isRight) wrong.push(`${name} ${time}`);
        console.log(`${time} ${name}: ${verdict}${isRight ? '' : ', WRONG'}`);
        for (const row of rows) console.log(`    ${describe(row)}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(wrong.length === 0 ? 'every verdict was right' : `wrong: ${wrong.join(', ')}`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

main();
