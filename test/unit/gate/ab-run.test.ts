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

type Part = number | ((turn: number) => number);

/** Turns of so many seconds each; A does 100 in each, B a part of that. */
function machine(turnSeconds: number, part: Part, sides: Side[] = []): AbOptions {
  let clock = 0;
  const takeTurn = async (side: Side): Promise<Measurement[]> => {
    sides.push(side);
    clock += turnSeconds * 1e3;
    const partOfB = typeof part === 'number' ? part : part(sides.length);
    return [rate((side === 'a' ? 100 : 100 * partOfB) + sides.length / 1e6)];
  };
  return {
    openPair: async () => ({ takeTurn, close: async () => {} }),
    foursInRound: 1,
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
    // B is faster in one round and slower in the next: nothing settles that.
    const part = (turn: number): number => (turn % 8 > 2 && turn % 8 < 7 ? 0.8 : 1.2);
    const [judged] = await runAb({ ...machine(1, part, sides), onRound });
    expect(judged!.rounds).toHaveLength(10);
    expect(sides).toHaveLength(42);
    expect(sides.slice(0, 2)).toEqual(['a', 'b']);
    expect(judged!.judgement.verdict).toBe('cannot tell');
    expect(judged!.rounds[0]!.a[0]).toBeGreaterThan(100);
    expect(shares.at(-1)).toBe(1);
  });

  test.each([0.9, 1, 1.1])('ends at a look that settles it: %f', async (part) => {
    const sides: Side[] = [];
    const [judged] = await runAb({ ...machine(0.25, part, sides), seconds: 40 });
    // At half of the time; a quarter of the level is spent there.
    expect(judged!.rounds).toHaveLength(20);
    expect(judged!.judgement.level).toBeCloseTo(0.02 / 4, 12);
  });

  test("what a look may spend is the next one's, if there are too few rounds for it", async () => {
    // Half of the time is 6 rounds and three quarters are 8, of which 0.01 needs 8.
    const [judged] = await runAb({ ...machine(1, 0.9), seconds: 43 });
    expect(judged!.rounds).toHaveLength(9);
    expect(judged!.judgement.level).toBeCloseTo(0.02 / 2, 12);
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

  test('opens a pair for each round, either of the two first, and closes it', async () => {
    const firsts: Side[] = [];
    let open = 0;
    const closeOne = (): void => {
      open -= 1;
    };
    const { openPair, ...options } = machine(0.25, 1);
    const [judged] = await runAb({
      ...options,
      foursInRound: 3,
      openPair: async (first) => {
        firsts.push(first);
        open += 1;
        const pair = await openPair(first);
        return { ...pair, close: async () => closeOne() };
      },
    });
    expect(open).toBe(0);
    expect(judged!.rounds.length).toBe(firsts.length - 1);
    expect(judged!.rounds[0]!.a).toHaveLength(6);
    expect(new Set(firsts)).toEqual(new Set(['a', 'b']));
  });

  test('a turn that fails closes the pair, and is the error', async () => {
    let closed = 0;
    let turns = 0;
    const takeTurn = async (): Promise<Measurement[]> => {
      if (++turns === 5) throw new Error('it broke');
      return [rate(1)];
    };
    const close = async (): Promise<void> => {
      closed += 1;
    };
    const openPair = async () => ({ takeTurn, close });
    await expect(runAb({ ...machine(1, 1), openPair })).rejects.toThrow('it broke');
    expect(closed).toBe(2);
  });

  test('is refused if the two measure different things', async () => {
    const takeTurn = async (side: Side) => [rate(1, side)];
    const openPair = async () => ({ takeTurn, close: async () => {} });
    await expect(runAb({ ...machine(1, 1), openPair })).rejects.toThrow(
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
