/** A report of the gate for people: one line a metric, what it means, and what would settle it. */
import { duration, shortCount, type TextColumn, textTable } from '../load/text-table.ts';
import type { GateReport, GateRow } from './gate-report.ts';

const COLUMNS: readonly TextColumn[] = [
  { title: 'metric', align: 'left' },
  { title: 'A' },
  { title: 'B' },
  { title: 'B against A' },
  { title: 'interval' },
  { title: 'would have seen' },
  { title: 'rounds' },
  { title: 'verdict', align: 'left' },
];

/** Lines ending in a newline. */
export function gateText(report: GateReport): string {
  const { a, b, rows, terms, verdict, environmentChanges, seed, seconds, tookSeconds } = report;
  const took = tookSeconds === null ? '' : `, ${Math.round(tookSeconds)} of ${seconds} s`;
  const lines = [
    `A  ${a}`,
    `B  ${b}`,
    ...environmentChanges.map(
      (change) =>
        `   ${change.name}: ${change.baseline ?? 'none'}, now ${change.current ?? 'none'}`,
    ),
    '',
    textTable(COLUMNS, rows.map(cells)),
    '',
    ...rows.map((row) => `${row.name}: ${sentence(row)}`),
    `tolerance ${percent(terms.tolerance)}, level ${percent(terms.level)}${
      seed === null ? '' : `, seed ${seed}`
    }${took}; below 0: B is slower`,
    '',
    verdict,
  ];
  return `${lines.join('\n')}\n`;
}

/** Why, and what next. */
export function sentence({ verdict, because, change, repeats, rounds, smallest }: GateRow): string {
  const told = `${verdict} (${signed(change)}): ${because}`;
  const seen =
    smallest === null ? '' : `; a loss of ${percent(smallest)} would have been seen 9 times in 10`;
  if (verdict !== 'cannot tell') return `${told}${seen}`;
  return repeats === null
    ? `${told}${seen}; no number of rounds would settle it`
    : `${told}${seen}; about ${repeats} rounds would settle it, ${rounds} were made`;
}

function cells(row: GateRow): string[] {
  const { name, unit, a, b, change, low, high, smallest, rounds, verdict } = row;
  return [
    name,
    amount(a, unit),
    amount(b, unit),
    signed(change),
    low === null || high === null ? 'none' : `${signed(low)} to ${signed(high)}`,
    smallest === null ? 'nothing' : `-${percent(smallest)}`,
    `${rounds}`,
    verdict,
  ];
}

function amount(value: number, unit: string): string {
  return unit === 'ns' ? duration(value) : `${shortCount(value)}${unit === '1/s' ? '' : unit}`;
}

function percent(part: number): string {
  return `${Number((part * 100).toFixed(1))} %`;
}

function signed(part: number): string {
  return `${part < 0 ? '' : '+'}${(part * 100).toFixed(1)} %`;
}
