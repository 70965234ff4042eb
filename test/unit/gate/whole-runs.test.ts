/**
 * Whole runs of the gate, looks and all: how often one raises a false alarm, how often it finds
 * what is there, and how soon. The clock is made up; the noise is that of machines.ts.
 */
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { type AbOptions, type JudgedMetric, runAb } from '../../../src/gate/ab-run.ts';
import type { Side } from '../../../src/gate/rounds.ts';
import { DEFAULT_TERMS, overall } from '../../../src/gate/verdict.ts';
import { longFactor } from '../../support/long.ts';
import { MACHINES, type RecordedMetric } from './machines.ts';

const RUNS = 200 * longFactor;
const SECONDS = 60;
/** A pair of processes: started, warmed up, measured, ended. As long as in calm.json. */
const PAIR_SECONDS = 3.8;
const NO_SIGNAL = new AbortController().signal;

interface Run {
  readonly judged: readonly JudgedMetric[];
  readonly verdict: ReturnType<typeof overall>;
  readonly rounds: number;
}

/** A run on a stretch of what was recorded; B is slower by a part in every turn. */
async function run(machine: readonly RecordedMetric[], seed: number, loss: number): Promise<Run> {
  const count = machine[0]!.pairs.length;
  const turnsOfSide = machine[0]!.pairs[0]!.one.length;
  let pair = createPrng(seed + 1_000_000).nextBelow(count);
  let clock = 0;
  const openPair: AbOptions['openPair'] = async (first) => {
    pair = (pair + 1) % count;
    const here = pair;
    const made: Record<Side, number> = { a: 0, b: 0 };
    const takeTurn = async (side: Side) => {
      clock += (PAIR_SECONDS * 1e3) / turnsOfSide / 2;
      const turn = made[side]++ % turnsOfSide;
      return machine.map(({ metric, pairs }) => {
        const rate = pairs[here]![side === first ? 'one' : 'other'][turn]!;
        const part = side === 'a' ? 1 : metric.isBiggerBetter ? 1 - loss : 1 / (1 - loss);
        return { ...metric, value: rate * part };
      });
    };
    return { takeTurn, close: async () => {} };
  };
  const options = { openPair, foursInRound: turnsOfSide / 2, seconds: SECONDS, seed };
  const common = { terms: DEFAULT_TERMS, signal: NO_SIGNAL, now: () => clock };
  const judged = await runAb({ ...options, ...common });
  const verdict = overall(judged.map(({ judgement }) => judgement));
  return { judged, verdict, rounds: judged[0]!.rounds.length };
}

async function runs(
  machine: readonly RecordedMetric[],
  loss: number,
  count = RUNS,
): Promise<Run[]> {
  const all: Run[] = [];
  for (let seed = 1; seed <= count; seed++) all.push(await run(machine, seed, loss));
  return all;
}

const share = (all: readonly Run[], holds: (each: Run) => boolean): number =>
  all.filter(holds).length / all.length;

describe.each(MACHINES)('on $name', ({ metrics, isQuiet, claimsMin }) => {
  test('with no change: at most one false alarm in twenty; none, where it is quiet', async () => {
    const all = await runs(metrics, 0);
    const alarms = share(all, ({ judged }) =>
      judged.some(({ judgement: { verdict } }) => /^(regression|improvement)$/.test(verdict)),
    );
    expect(alarms).toBeLessThanOrEqual(isQuiet ? 0 : 0.05);
  });

  test.runIf(claimsMin > 0)(
    'a loss of 5 in 100 is found in nine of ten runs that claim to see it',
    async () => {
      const all = await runs(metrics, 0.05);
      const claims = all.filter(({ judged }) =>
        judged.some(({ judgement: { smallest } }) => smallest !== null && smallest <= 0.05),
      );
      const found = claims.filter(({ verdict }) => verdict === 'regression');
      expect(found.length).toBeGreaterThanOrEqual(0.9 * claims.length);
      expect(claims.length).toBeGreaterThanOrEqual(claimsMin * RUNS);
    },
  );

  test.runIf(claimsMin > 0)(
    'a loss of 10 in 100 is found, and by three quarters of the time',
    async () => {
      const all = await runs(metrics, 0.1, RUNS / 4);
      expect(share(all, ({ verdict }) => verdict === 'regression')).toBe(1);
      const isSoon = ({ rounds }: Run): boolean => rounds * PAIR_SECONDS <= (SECONDS * 3) / 4;
      expect(share(all, isSoon)).toBeGreaterThan(0.9);
    },
  );
});
