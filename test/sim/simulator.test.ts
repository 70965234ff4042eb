/**
 * Histories from seeds, as many as CI has time for; that they are what their seeds say; and that
 * the simulator would notice.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { longFactor } from '../support/long.ts';
import { type HistoryResult, runHistory } from './history.ts';
import { KNOWN_SEEDS } from './known-seeds.ts';
import { withBug } from './plant.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { replayCommand, runHistories } from './run-histories.ts';
import { FAULT_KINDS } from './swarm.ts';

/** At least so many, however slow the machine is. */
const HISTORIES_MIN = 300;
const HISTORIES_MAX = 3_000 * longFactor;
const SECONDS_MAX = 60 * longFactor;
const FIRST_SEED = 1_000_000;
/** In so many every kind of fault has struck. */
const HISTORIES_OF_ALL_FAULTS = 3_000;

function expectNoViolation({ seed, violations }: HistoryResult): void {
  if (violations.length === 0) return;
  expect.fail(`${violations.join('\n')}\n${replayCommand(seed)}`);
}

describe('the simulator', () => {
  const only = process.env.SEALDISK_SIM_SEED;

  test.runIf(only !== undefined)(`history ${only}`, async () => {
    expectNoViolation(await runHistory(Number(only)));
  });

  test('the same seed has the same trace, another seed another', async () => {
    const hashes = new Set<string>();
    for (let seed = 1; seed <= 40; seed++) {
      const first = await runHistory(seed);
      const again = await runHistory(seed);
      expect(again.traceHash, replayCommand(seed)).toBe(first.traceHash);
      expect(again.events).toBe(first.events);
      hashes.add(first.traceHash);
    }
    expect(hashes.size).toBe(40);
  });

  test.each(KNOWN_SEEDS)('seed $seed, which failed once: $found', async ({ seed }) => {
    expectNoViolation(await runHistory(seed));
  });

  test.skipIf(only !== undefined)('nothing is violated in any history', async () => {
    const faults = new Map(FAULT_KINDS.map((kind) => [kind, 0]));
    let histories = 0;
    let operations = 0;
    const start = performance.now();
    const isOver = (): boolean => {
      const seconds = (performance.now() - start) / 1000;
      return histories >= HISTORIES_MAX || (seconds > SECONDS_MAX && histories >= HISTORIES_MIN);
    };
    while (!isOver()) {
      const result = await runHistory(FIRST_SEED + histories);
      expectNoViolation(result);
      histories++;
      operations += result.operations;
      for (const kind of FAULT_KINDS) faults.set(kind, faults.get(kind)! + result.faults[kind]);
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    const counts = [...faults].map(([kind, count]) => `${kind} ${count}`).join(', ');
    const sum = `${histories} histories, ${operations} operations in ${seconds} s`;
    process.stderr.write(`simulator: ${sum}; ${counts}\n`);
    if (histories < HISTORIES_OF_ALL_FAULTS) return;
    for (const [kind, count] of faults) expect(count, kind).toBeGreaterThan(0);
  });

  test('a summary counts what was done', async () => {
    const seeds: number[] = [];
    const violated = (result: HistoryResult): void => void seeds.push(result.seed);
    const summary = await runHistories({ seed: 7, histories: 3, violated });
    expect(summary).toMatchObject({ seed: 7, histories: 3, violations: 0, failedSeeds: [] });
    expect(summary.operations).toBeGreaterThan(0);
    expect(seeds).toEqual([]);
  });

  test('a bug is planted where its text is, and nowhere else', () => {
    const [bug] = PLANTED_BUGS;
    expect(withBug(0, `/x/${bug!.file}`, `a ${bug!.find} b`)).toBe(`a ${bug!.replace} b`);
    expect(withBug(0, '/x/src/other.ts', 'text')).toBe('text');
    expect(() => withBug(0, `/x/${bug!.file}`, 'changed since')).toThrow(/found it 0 times/);
    for (const [index, { file, replace }] of PLANTED_BUGS.entries()) {
      const text = readFileSync(file, 'utf8');
      expect(withBug(index, `/x/${file}`, text)).toContain(replace);
    }
    expect(() => withBug(PLANTED_BUGS.length, '/x/a.ts', '')).toThrow(/no planted bug/);
  });
});
