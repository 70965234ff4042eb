/** Rounds in simulated time: how many there are, what counts, what ends them. */
import { describe, expect, test } from 'vitest';
import { type AbOptions, runAb } from '../../../src/gate/ab-run.ts';
import type { Measurement } from '../../../src/gate/metric.ts';
import type { Side } from '../../../src/gate/rounds.ts';

const rate = (value: number, name = 'rate'): Measurement => ({
  name,
  unit: '1/s',
  isBiggerBetter: true,
  value,
});

/** Turns of so many seconds each; A does 100 in each, B a part of that. */
function machine(turnSeconds: number, part: number, sides: Side[] = []): AbOptions {
  let clock = 0;
  return {
    takeTurn: async (side) => {
      sides.push(side);
      clock += turnSeconds * 1e3;
      return [rate((side === 'a' ? 100 : 100 * part) + sides.length / 1e6)];
    },
    seconds: 40,
    seed: 1,
    terms: { tolerance: 0.03, level: 0.02 },
    signal: new AbortController().signal,
    now: () => clock,
  };
}

describe('a run', () => {
  test('has the rounds that fit into the time, after a turn of each to warm up', async () => {
    const sides: Side[] = [];
    const shares: number[] = [];
    const onRound = (_: number, share: number): unknown => shares.push(share);
    const [judged] = await runAb({ ...machine(1, 0.9, sides), onRound });
    expect(judged!.rounds).toHaveLength(10);
    expect(sides).toHaveLength(42);
    expect(sides.slice(0, 2)).toEqual(['a', 'b']);
    expect(judged!.judgement.verdict).toBe('regression');
    expect(judged!.rounds[0]!.a[0]).toBeGreaterThan(100);
    expect(shares.at(-1)).toBe(1);
  });

  test('takes longer than was asked for if there would be no interval', async () => {
    const [judged] = await runAb(machine(2, 1));
    expect(judged!.rounds).toHaveLength(7);
    expect(judged!.judgement.low).not.toBeNull();
  });

  test('but not for ever: cannot tell', async () => {
    const [judged] = await runAb(machine(30, 0.5));
    expect(judged!.rounds).toHaveLength(2);
    expect(judged!.judgement).toMatchObject({ verdict: 'cannot tell', repeats: 7 });
  });

  test('is the same again with the same seed', async () => {
    const [once, again, other]: Side[][] = [[], [], []];
    await runAb(machine(1, 1, once));
    await runAb(machine(1, 1, again));
    await runAb({ ...machine(1, 1, other), seed: 2 });
    expect(again).toEqual(once);
    expect(other).not.toEqual(once);
  });

  test('is refused if the two measure different things', async () => {
    const takeTurn = async (side: Side) => [rate(1, side)];
    await expect(runAb({ ...machine(1, 1), takeTurn })).rejects.toThrow(
      'a turn: expected the metrics a, got b',
    );
  });

  test('ends when it is stopped, with the reason', async () => {
    const controller = new AbortController();
    const onRound = (): void => controller.abort(new Error('enough'));
    const options = { ...machine(1, 1), signal: controller.signal, onRound };
    await expect(runAb(options)).rejects.toThrow('enough');
  });
});
