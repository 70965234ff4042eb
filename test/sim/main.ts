/**
 * `npm run sim -- --seed S --histories N [--json] [--trace]`: histories S to S + N - 1.
 *
 * A line a minute on stderr, a summary on stdout; a violation prints the one command that repeats
 * it. Ends with 1 if there was any.
 */
import { parseArgs } from 'node:util';
import { runHistory } from './history.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    histories: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
  },
});
const start = Number(values.seed);
const n = Number(values.histories);
const t0 = performance.now();
let ops = 0;
let bad = 0;
let events = 0;
const faults: Record<string, number> = {};
for (let seed = start; seed < start + n; seed++) {
  const result = await runHistory(seed, values.trace);
  ops += result.operations;
  events += result.events;
  for (const [k, v] of Object.entries(result.faults)) faults[k] = (faults[k] ?? 0) + v;
  if (values.trace) console.log(result.traceLines.join('\n'));
  if (result.violations.length > 0) {
    bad++;
    console.log(seed, result.violations.slice(0, 3).join('\n   '));
    if (bad > 10) break;
  }
}
console.log(JSON.stringify({ ops, bad, events, faults, perSecond: n / ((performance.now() - t0) / 1000) }));
