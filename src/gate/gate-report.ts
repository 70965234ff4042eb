/**
 * What a run of the gate came to, as data: the same for rounds and for a check against a baseline.
 *
 * `sealdisk gate ... --json` prints it as it is. A and B are the two that were compared; of a
 * check, A is the baseline. Changes are parts of 1 of A's performance, above 0 where B is better,
 * whether the metric is a rate or a latency. Turns are raw, in the order made. `schema` names the
 * shape and its version: fields may be added in a version, none goes or changes its meaning.
 */
import type { JudgedMetric } from './ab-run.ts';
import type { CheckedMetric, EnvironmentChange } from './baseline-check.ts';
import type { Metric, Summary } from './metric.ts';
import { middle } from './statistics.ts';
import { EXIT_CODES, type Judgement, overall, type Terms, type Verdict } from './verdict.ts';

const GATE_SCHEMA_ID = 'sealdisk-gate/1';

export interface GateRow extends Judgement {
  /** Of the metric: job and what of it. */
  readonly name: string;
  readonly unit: string;
  readonly isBiggerBetter: boolean;
  /** What the turns of a side come to: rounds.ts. */
  readonly summary: Summary;
  /** Medians of all turns. */
  readonly a: number;
  readonly b: number;
  readonly turns: { readonly a: readonly number[]; readonly b: readonly number[] };
}

export interface GateReport {
  readonly schema: typeof GATE_SCHEMA_ID;
  readonly verdict: Verdict;
  readonly exitCode: 0 | 1 | 3;
  /** What A and B were. */
  readonly a: string;
  readonly b: string;
  readonly terms: Terms;
  /** How long it was to measure at most. */
  readonly seconds: number;
  /** How long it took; null: it is not known. */
  readonly tookSeconds: number | null;
  /** Of the order of turns; null: there was none. */
  readonly seed: number | null;
  /** Of a check on another machine. */
  readonly environmentChanges: readonly EnvironmentChange[];
  readonly rows: readonly GateRow[];
}

/** What a report says beside its rows. */
export type GateHead = Omit<GateReport, 'schema' | 'verdict' | 'exitCode' | 'rows'>;

export function reportOfRounds(head: GateHead, metrics: readonly JudgedMetric[]): GateReport {
  return report(
    head,
    metrics.map(({ metric, rounds, judgement }) => {
      const turns = { a: rounds.flatMap(({ a }) => a), b: rounds.flatMap(({ b }) => b) };
      return row(metric, turns, judgement);
    }),
  );
}

export function reportOfCheck(head: GateHead, metrics: readonly CheckedMetric[]): GateReport {
  return report(
    head,
    metrics.map(({ baseline, current, judgement }) =>
      row(current, { a: baseline.turns, b: current.turns }, judgement),
    ),
  );
}

function report(head: GateHead, rows: readonly GateRow[]): GateReport {
  const verdict = overall(rows);
  return { schema: GATE_SCHEMA_ID, verdict, exitCode: EXIT_CODES[verdict], ...head, rows };
}

function row(
  { name, unit, isBiggerBetter, summary = 'mean' }: Metric,
  turns: GateRow['turns'],
  judgement: Judgement,
): GateRow {
  const [a, b] = [median(turns.a), median(turns.b)];
  return { name, unit, isBiggerBetter, summary, a, b, ...judgement, turns };
}

function median(values: readonly number[]): number {
  return middle([...values].sort((a, b) => a - b));
}
