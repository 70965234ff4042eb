/** Many histories one after another, and what they came to. */
import { type HistoryResult, runHistory } from './history.ts';
import { FAULT_KINDS, type FaultKind } from './swarm.ts';

export interface Summary {
  readonly seed: number;
  readonly histories: number;
  readonly operations: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  readonly powerCuts: number;
  readonly kills: number;
  /** Histories in which something did not hold. */
  readonly violations: number;
  /** Their seeds, the first hundred. */
  readonly failedSeeds: readonly number[];
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export interface HistoriesWish {
  readonly seed: number;
  readonly histories: number;
  readonly isVerbose?: boolean;
  readonly aMinute?: (soFar: Summary) => void;
  readonly violated?: (result: HistoryResult) => void;
  readonly traced?: (lines: readonly string[]) => void;
}

const MINUTE_MS = 60_000;
const FAILED_SEEDS_MAX = 100;

/** What repeats a history, on a line. */
export function replayCommand(seed: number): string {
  return `npm run sim -- --seed ${seed} --histories 1`;
}

export async function runHistories(wish: HistoriesWish): Promise<Summary> {
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  const faults = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<
    FaultKind,
    number
  >;
  const failedSeeds: number[] = [];
  let histories = 0;
  let operations = 0;
  let violations = 0;
  const summary = (): Summary => {
    const { user, system } = process.cpuUsage(startedCpu);
    return {
      seed: wish.seed,
      histories,
      operations,
      faults,
      powerCuts: faults.powerCut,
      kills: faults.kill,
      violations,
      failedSeeds,
      seconds: (performance.now() - startedMs) / 1000,
      cpuSeconds: (user + system) / 1e6,
    };
  };
  for (let nextMinute = startedMs + MINUTE_MS; histories < wish.histories; ) {
    const result = await runHistory(wish.seed + histories, wish.isVerbose);
    histories++;
    operations += result.operations;
    for (const kind of FAULT_KINDS) faults[kind] += result.faults[kind];
    if (wish.isVerbose === true) wish.traced?.(result.traceLines);
    if (result.violations.length > 0) {
      violations++;
      if (failedSeeds.length < FAILED_SEEDS_MAX) failedSeeds.push(result.seed);
      wish.violated?.(result);
    }
    if (performance.now() < nextMinute) continue;
    nextMinute += MINUTE_MS;
    wish.aMinute?.(summary());
  }
  return summary();
}
