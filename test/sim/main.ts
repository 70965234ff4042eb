/**
 * `npm run sim -- --seed S --histories N [--processes P] [--json] [--trace]`: histories S to
 * S + N - 1, shared out over P processes.
 *
 * A line a minute on stderr, a summary on stdout. A violation prints the one command that repeats
 * it; the exit code is 1 then.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runInProcesses } from './in-processes.ts';
import { replayCommand, runHistories, type Summary } from './run-histories.ts';

function readArguments() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      histories: { type: 'string', default: '1' },
      processes: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      /** In this process, whatever it was started with: what a process of several is told. */
      here: { type: 'boolean', default: false },
    },
  });
  const seed = Number(values.seed);
  const histories = Number(values.histories);
  const processes = Number(values.processes);
  const areWhole = [seed, histories, processes].every(Number.isSafeInteger);
  if (areWhole && histories >= 0 && processes > 0) return { ...values, seed, histories, processes };
  throw new Error('expected whole numbers as --seed, --histories and --processes');
}

function inWords(summary: Summary): string {
  const { histories, operations, seconds, violations } = summary;
  const perSecond = (histories / Math.max(seconds, 0.001)).toFixed(0);
  const faults = Object.entries(summary.faults)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');
  const rate = `${histories} histories (${perSecond}/s), ${operations} operations`;
  return `${rate}, ${violations} violations; ${faults}`;
}

const { seed, histories, processes, json, trace, here } = readArguments();
/** Too few for another process to be worth its start. */
const isFew = histories < 50;

function runHere(): Promise<Summary> {
  return runHistories({
    seed,
    histories,
    isVerbose: trace,
    aMinute: (soFar) => process.stderr.write(`${inWords(soFar)}\n`),
    violated: (result) => {
      process.stderr.write(`${result.violations.join('\n')}\n${replayCommand(result.seed)}\n`);
    },
    traced: (lines) => process.stdout.write(`${lines.join('\n')}\n`),
  });
}

const summary =
  here || trace || (isFew && processes === 1)
    ? await runHere()
    : await runInProcesses(fileURLToPath(import.meta.url), { seed, histories, processes });
process.stdout.write(`${json ? JSON.stringify(summary) : inWords(summary)}\n`);
process.exitCode = summary.violations > 0 ? 1 : 0;
