/** Pairs of contenders: who is opened first, warmed up, asked, and closed whatever happens. */
import { describe, expect, test } from 'vitest';
import type { Contender } from '../../../src/gate/contender.ts';
import { canStay, processPairs, sessionPairs } from '../../../src/gate/pairs.ts';
import type { Side } from '../../../src/gate/rounds.ts';
import type { TurnSession } from '../../../src/gate/turn-session.ts';

/** Two that write down what is asked of them. A turn takes 100 ms of the clock. */
function world(change: Partial<Record<Side, Partial<Contender>>> = {}) {
  const log: string[] = [];
  let clock = 0;
  const contender = (side: Side): Contender => {
    const takeTurn = async (): ReturnType<Contender['takeTurn']> => {
      log.push(`turn ${side}`);
      clock += 100;
      return [{ name: 'n', unit: '', isBiggerBetter: true, value: 1 }];
    };
    const session: TurnSession = {
      takeTurn,
      close: async () => {
        log.push(`close ${side}`);
      },
    };
    return {
      kind: 'command',
      name: side,
      commit: null,
      takeTurn,
      openSession: async () => {
        log.push(`open ${side}`);
        return session;
      },
      close: async () => {},
      ...change[side],
    };
  };
  return { log, contenders: { a: contender('a'), b: contender('b') }, now: () => clock };
}

describe('two that stay', () => {
  test.each([
    ['a', 'b'],
    ['b', 'a'],
  ] as const)('are opened %s first, warmed up for a second, and closed', async (first, second) => {
    const { log, contenders, now } = world();
    const { openPair, foursInRound } = sessionPairs(contenders, now);
    const pair = await openPair(first);
    expect(log.slice(0, 2)).toEqual([`open ${first}`, `open ${second}`]);
    expect(now()).toBeGreaterThanOrEqual(1000);
    const warmUps = log.splice(0).filter((line) => line.startsWith('turn'));
    expect(new Set(warmUps)).toEqual(new Set(['turn a', 'turn b']));
    await pair.takeTurn('b');
    await pair.takeTurn('a');
    await pair.close();
    expect(log).toEqual(['turn b', 'turn a', `close ${first}`, `close ${second}`]);
    expect(foursInRound).toBeGreaterThan(1);
  });

  test('can, if both can', async () => {
    const both = world();
    expect(await canStay(both.contenders)).toBe(true);
    expect(both.log).toEqual(['open a', 'close a', 'open b', 'close b']);
    const one = world({ b: { openSession: async () => null } });
    expect(await canStay(one.contenders)).toBe(false);
    expect(one.log).toEqual(['open a', 'close a']);
  });

  test.each(['a', 'b'] as const)(
    'of which one does not start: the other is closed',
    async (side) => {
      const broken = { openSession: () => Promise.reject(new Error('no start')) };
      const { log, contenders, now } = world({ [side]: broken });
      await expect(sessionPairs(contenders, now).openPair('a')).rejects.toThrow('no start');
      const other = side === 'a' ? 'b' : 'a';
      expect(log).toEqual([`open ${other}`, `close ${other}`]);
    },
  );

  test('of which one fails while warming up: both are closed', async () => {
    const closed: Side[] = [];
    const session = (side: Side, turn: TurnSession['takeTurn']): TurnSession => ({
      takeTurn: turn,
      close: async () => void closed.push(side),
    });
    let clock = 0;
    const { contenders } = world({
      a: {
        openSession: async () =>
          session('a', async () => {
            clock += 500;
            return [];
          }),
      },
      b: { openSession: async () => session('b', () => Promise.reject(new Error('broke'))) },
    });
    await expect(sessionPairs(contenders, () => clock).openPair('b')).rejects.toThrow('broke');
    expect(closed.sort()).toEqual(['a', 'b']);
  });
});

test('what cannot stay takes a turn by a process each, four to a round', async () => {
  const { log, contenders } = world();
  const { openPair, foursInRound } = processPairs(contenders);
  const pair = await openPair('a');
  await pair.takeTurn('b');
  await pair.takeTurn('a');
  await pair.close();
  expect([log, foursInRound]).toEqual([['turn b', 'turn a'], 1]);
});
