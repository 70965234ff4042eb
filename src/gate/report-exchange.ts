/**
 * A report of the gate in the forms other people's tools read.
 *
 * - JUnit XML, as Jenkins and GitLab read it: a metric is a test case; a regression is a failure,
 *   cannot tell is skipped
 * - GitHub workflow commands: a regression is an error, cannot tell a warning, an improvement a
 *   notice; nothing for what is as it was. Escaped as the runner's toolkit does
 * - Bencher Metric Format: benchmark, then measure, then value of B with its quartiles
 * - github-action-benchmark: an array for its customBiggerIsBetter or customSmallerIsBetter; all
 *   metrics of one file have one direction
 */
import type { GateReport, GateRow } from './gate-report.ts';
import { sentence } from './report-text.ts';
import { middle } from './statistics.ts';
import type { Verdict } from './verdict.ts';

export function gateJunit(report: GateReport, name: string): string {
  const { rows, seconds } = report;
  const count = (verdict: Verdict): number => rows.filter((row) => row.verdict === verdict).length;
  const counts = [
    `tests="${rows.length}"`,
    `failures="${count('regression')}"`,
    'errors="0"',
    `skipped="${count('cannot tell')}"`,
    `time="${seconds.toFixed(3)}"`,
  ].join(' ');
  const cases = rows.map((row) => {
    const { benchmark, measure } = split(row);
    const head = `    <testcase classname="${xml(benchmark)}" name="${xml(measure)}" time="0"`;
    const message = xml(sentence(row));
    if (row.verdict === 'regression') {
      return `${head}>\n      <failure type="regression" message="${message}"/>\n    </testcase>`;
    }
    if (row.verdict !== 'cannot tell') return `${head}/>`;
    return `${head}>\n      <skipped message="${message}"/>\n    </testcase>`;
  });
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${xml(name)}" ${counts}>`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
  ].join('\n')}\n`;
}

const COMMANDS: Readonly<Record<Verdict, 'error' | 'warning' | 'notice' | null>> = {
  regression: 'error',
  'cannot tell': 'warning',
  improvement: 'notice',
  'no regression': null,
};

/** Lines, each ending in a newline. */
export function gateAnnotations({ rows }: GateReport): string {
  return rows
    .flatMap((row) => {
      const command = COMMANDS[row.verdict];
      if (command === null) return [];
      const title = property(`${row.name}: ${row.verdict}`);
      return [`::${command} title=${title}::${message(sentence(row))}\n`];
    })
    .join('');
}

interface BencherMetric {
  readonly value: number;
  readonly lower_value: number;
  readonly upper_value: number;
}

export function gateBencher({ rows }: GateReport): Record<string, Record<string, BencherMetric>> {
  const document: Record<string, Record<string, BencherMetric>> = {};
  for (const row of rows) {
    const { benchmark, measure } = split(row);
    const sorted = [...row.turns.b].sort((a, b) => a - b);
    const half = Math.ceil(sorted.length / 2);
    document[benchmark] ??= {};
    document[benchmark][measure] = {
      value: row.b,
      lower_value: middle(sorted.slice(0, half)),
      upper_value: middle(sorted.slice(sorted.length - half)),
    };
  }
  return document;
}

export interface ActionBenchmark {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly range: string;
  readonly extra: string;
}

export function gateActionBenchmark({ rows }: GateReport): ActionBenchmark[] {
  return rows.map((row) => ({
    name: row.name,
    unit: row.unit === '' ? 'number' : row.unit,
    value: row.b,
    range: spread(row.turns.b),
    extra: sentence(row),
  }));
}

/** Half the distance between the quartiles. */
function spread(turns: readonly number[]): string {
  const sorted = [...turns].sort((a, b) => a - b);
  const half = Math.ceil(sorted.length / 2);
  const distance = middle(sorted.slice(sorted.length - half)) - middle(sorted.slice(0, half));
  return `± ${Number((distance / 2).toPrecision(3))}`;
}

/** 'randread-4k iops' is what iops of which benchmark. */
function split({ name }: GateRow): { benchmark: string; measure: string } {
  const at = name.lastIndexOf(' ');
  if (at < 0) return { benchmark: name, measure: 'value' };
  return { benchmark: name.slice(0, at), measure: name.slice(at + 1) };
}

const XML: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

function xml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => XML[character]!);
}

function message(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return message(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
