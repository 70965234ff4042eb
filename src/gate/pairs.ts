/**
 * Pairs of contenders that take turns: processes that stay, if both can, else a process a turn.
 *
 * Processes that stay are warmed up side by side until what compiles has compiled, which does not
 * count. Then one is idle while the other has its turn.
 */
import type { AbOptions, Pair } from './ab-run.ts';
import type { Contender } from './contender.ts';
import type { Side } from './rounds.ts';
import type { TurnSession } from './turn-session.ts';

export type Contenders = Readonly<Record<Side, Contender>>;

/** Turns take tens of milliseconds: a good part of a second for them all, four by four. */
const FOURS_OF_SESSIONS = 16;
const WARM_UP_MS = 1000;

/** Whether both can stay: each is started for it, and ended. @throws what starting one throws */
export async function canStay({ a, b }: Contenders): Promise<boolean> {
  for (const contender of [a, b]) {
    const session = await contender.openSession();
    if (session === null) return false;
    await session.close();
  }
  return true;
}

/** How rounds are made of contenders that can stay. */
export function sessionPairs(
  contenders: Contenders,
  now: () => number,
): Pick<AbOptions, 'openPair' | 'foursInRound'> {
  const openPair = async (first: Side): Promise<Pair> => {
    const order: readonly Side[] = first === 'a' ? ['a', 'b'] : ['b', 'a'];
    const opening = await Promise.allSettled(order.map((side) => contenders[side].openSession()));
    const sessions = opening.map((each) => (each.status === 'fulfilled' ? each.value : null));
    const opened = sessions.filter((each) => each !== null);
    const close = async (): Promise<void> => {
      await Promise.all(opened.map((each) => each.close()));
    };
    const [one, other] = sessions;
    if (one === null || one === undefined || other === null || other === undefined) {
      await close();
      throw opening.find((each) => each.status === 'rejected')?.reason;
    }
    const both = { [first]: one, [order[1]!]: other } as Record<Side, TurnSession>;
    try {
      await Promise.all([one, other].map((session) => warmUp(session, now)));
    } catch (error) {
      await Promise.allSettled(opened.map((each) => each.close()));
      throw error;
    }
    return { takeTurn: (side) => both[side].takeTurn(), close };
  };
  return { openPair, foursInRound: FOURS_OF_SESSIONS };
}

/** How rounds are made of anything: each turn is a process. */
export function processPairs({ a, b }: Contenders): Pick<AbOptions, 'openPair' | 'foursInRound'> {
  const takeTurn: Pair['takeTurn'] = (side) => (side === 'a' ? a : b).takeTurn();
  return { openPair: async () => ({ takeTurn, close: async () => {} }), foursInRound: 1 };
}

async function warmUp(session: TurnSession, now: () => number): Promise<void> {
  for (const until = now() + WARM_UP_MS; now() < until; ) await session.takeTurn();
}
