/**
 * `npm run sim -- --seed S --histories N [--json] [--trace]`: histories S to S + N - 1, after those
 * of known-seeds.ts.
 *
 * A line a minute on stderr, a summary on stdout. A violation prints the one command that repeats
 * it; the exit code is 1 then.
 */
import { parseArgs } from 'node:util';
import { replayCommand, runHistories, type Summary } from './run-histories.ts';

function readArguments() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      histories: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
    },
  });
  const seed = Number(values.seed);
  const histories = Number(values.histories);
  if (Number.isSafeInteger(seed) && Number.isSafeInteger(histories) && histories >= 0) {
    return { ...values, seed, histories };
  }
  throw new Error('expected whole numbers as --seed and --histories');
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

const { seed, histories, json, trace } = readArguments();
const summary = await runHistories({
  seed,
  histories,
  isVerbose: trace,
  aMinute: (soFar) => process.stderr.write(`${inWords(soFar)}\n`),
  violated: (result) => {
    process.stderr.write(`${result.violations.join('\n')}\n${replayCommand(result.seed)}\n`);
  },
  traced: (lines) => process.stdout.write(`${lines.join('\n')}\n`),
});
process.stdout.write(`${json ? JSON.stringify(summary) : inWords(summary)}\n`);
process.exitCode = summary.violations > 0 ? 1 : 0;
