/**
 * Histories shared out over several processes: a history uses one core, and nothing of another.
 *
 * Each process has a range of seeds of its own and says what it has to say on stderr; the summaries
 * are added up.
 */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { Summary } from './run-histories.ts';

/**
 * A history leaves little behind: with room for many the collector seldom has to copy anything. Its
 * other threads would only take processors from the other processes.
 */
const ENGINE_OPTIONS = [
  '--min-semi-space-size=32',
  '--max-semi-space-size=64',
  '--single-threaded-gc',
];

/** @param main path of main.js */
export async function runInProcesses(
  main: string,
  wish: { readonly seed: number; readonly histories: number; readonly processes: number },
): Promise<Summary> {
  const { seed, histories, processes } = wish;
  const startedMs = performance.now();
  const edge = (index: number): number => seed + Math.floor((histories * index) / processes);
  const running = Array.from({ length: processes }, (_, index) =>
    runRange(main, edge(index), edge(index + 1) - edge(index)),
  );
  const parts = await Promise.all(running);
  return { ...parts.reduce(sum), seed, seconds: (performance.now() - startedMs) / 1000 };
}

async function runRange(main: string, seed: number, histories: number): Promise<Summary> {
  const options = ['--seed', String(seed), '--histories', String(histories), '--json', '--here'];
  const child = spawn(process.execPath, [...ENGINE_OPTIONS, main, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(await text(child.stdout)) as Summary;
}

function sum(a: Summary, b: Summary): Summary {
  const kinds = Object.keys(a.faults) as (keyof Summary['faults'])[];
  const faults = Object.fromEntries(kinds.map((kind) => [kind, a.faults[kind] + b.faults[kind]]));
  return {
    ...a,
    histories: a.histories + b.histories,
    operations: a.operations + b.operations,
    faults: faults as Summary['faults'],
    powerCuts: a.powerCuts + b.powerCuts,
    kills: a.kills + b.kills,
    violations: a.violations + b.violations,
    failedSeeds: [...a.failedSeeds, ...b.failedSeeds],
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
  };
}
