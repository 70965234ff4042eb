/**
 * `npm run torture -- --seconds N --seed S [--json] [--pass NAME]...
 *   [--processes P] [--rounds N] [--plant NAME]`
 *
 * Tortures real planes in real processes for so long, P at a time.
 * A line a minute on stderr; with --json one
 * line of JSON on stdout at the end. Exit code 1 if there was a violation, 2 for wrong usage.
 */
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Figures } from './figures.ts';
import { PASSES } from './passes.ts';
import { PLANTS } from './plants.ts';
import { torture } from './torture.ts';

const MINUTE_MS = 60_000;
const SECONDS_DEFAULT = 60;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

function usage(problem: string): never {
  say(`${problem}\n`);
  say('npm run torture -- [--seconds N] [--seed S] [--json] [--pass NAME] [--rounds N]');
  say('                   [--processes P] [--plant NAME] [--list]\n');
  for (const { name, because } of PASSES) say(`  pass   ${name.padEnd(18)} ${because}`);
  for (const [name, { what }] of Object.entries(PLANTS)) say(`  plant  ${name.padEnd(18)} ${what}`);
  process.exit(2);
}

function readArguments() {
  const option = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      options: {
        seconds: option,
        seed: option,
        processes: option,
        rounds: option,
        plant: option,
        pass: { type: 'string', multiple: true },
        json: flag,
        list: flag,
      },
    }).values;
  } catch (error) {
    return usage((error as Error).message);
  }
}

function numberOf(name: string, text: string | undefined, usual: number): number {
  const value = text === undefined ? usual : Number(text);
  if (!Number.isInteger(value) || value < 0) usage(`expected a whole number for --${name}`);
  return value;
}

function commit(): string {
  try {
    const run = (...parameters: string[]): string =>
      execFileSync('git', parameters, { encoding: 'utf8', stdio: 'pipe' }).trim();
    const isChanged = run('status', '--porcelain') !== '';
    return `${run('rev-parse', '--short=12', 'HEAD')}${isChanged ? '+' : ''}`;
  } catch {
    return 'unknown';
  }
}

function summaryOf(figures: Figures, seconds: number) {
  const { operations, kills, sectors, faults, rounds, skipped, violations, callPoints } = figures;
  return {
    seed,
    commit: commit(),
    seconds: Math.round(seconds),
    processes,
    operations,
    kills,
    faults: Object.fromEntries(faults),
    sectorsCompared: sectors,
    callPoints,
    rounds: Object.fromEntries(rounds),
    skipped: Object.fromEntries(skipped),
    violations: violations.length,
    violated: violations,
  };
}

function lineOf(figures: Figures, seconds: number): string {
  const faults = [...figures.faults].map(([kind, count]) => `${kind} ${count}`).join(', ');
  const perMinute = Math.round((figures.kills * 60) / Math.max(seconds, 1));
  return (
    `${Math.round(seconds)} s: ${figures.operations} operations, ${figures.kills} kills ` +
    `(${perMinute} a minute), ${figures.violations.length} violations; ${faults}`
  );
}

const given = readArguments();
if (given.list === true) usage('passes and plants:');
const unknownPass = given.pass?.find((name) => !PASSES.some((pass) => pass.name === name));
if (unknownPass !== undefined) usage(`no pass is called ${unknownPass}`);
if (given.plant !== undefined && PLANTS[given.plant] === undefined) {
  usage(`no bug is called ${given.plant}`);
}
const seed = numberOf('seed', given.seed, randomInt(2 ** 31));
const seconds = numberOf('seconds', given.seconds, SECONDS_DEFAULT);
const processes = numberOf('processes', given.processes, 1);
if (processes === 0) usage('expected at least one process');
const began = performance.now();
const elapsed = (): number => (performance.now() - began) / 1_000;
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());
let told: Figures | null = null;
const minute = setInterval(() => told !== null && say(lineOf(told, elapsed())), MINUTE_MS);
say(`seed ${seed}, ${seconds} seconds, ${processes} at a time`);
const figures = await torture({
  seconds,
  seed,
  processes,
  ...(given.pass === undefined ? {} : { passes: given.pass }),
  ...(given.rounds === undefined ? {} : { rounds: numberOf('rounds', given.rounds, 1) }),
  plant: given.plant ?? null,
  // A bug that was planted is to be found, not counted.
  stopsAtViolation: given.plant !== undefined,
  signal: stop.signal,
  say,
  begun: (begun) => {
    told = begun;
  },
});
clearInterval(minute);
say(lineOf(figures, elapsed()));
for (const [pass, reason] of figures.skipped) say(`left out: ${pass}: ${reason}`);
if (given.json === true) console.log(JSON.stringify(summaryOf(figures, elapsed())));
process.exitCode = figures.violations.length > 0 ? 1 : 0;
