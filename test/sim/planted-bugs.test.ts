/**
 * Every planted bug is found within the histories CI has for it, in a module graph of its own; and
 * the simulator with no bug planted that way finds nothing in as many.
 */
import { describe, expect, test } from 'vitest';
import { PLANTED_BUGS } from './planted-bugs.ts';
import type { Swarm } from './swarm.ts';

const HISTORIES_MAX = 3000;
const CANARY_HISTORIES = 10;
/** What the same histories find without a bug: nothing. */
const CLEAN_HISTORIES = 200;

type RunHistory = typeof import('./history.ts').runHistory;

/** The seed of the first history that is violated; null: none is. */
async function findWith(
  runHistory: RunHistory,
  histories: number,
  wish?: Partial<Swarm>,
): Promise<number | null> {
  for (let seed = 1; seed <= histories; seed++) {
    const { violations } = await runHistory(seed, false, wish);
    if (violations.length > 0) return seed;
  }
  return null;
}

describe('planted bugs', () => {
  test('without a bug nothing is found', async () => {
    const { runHistory } = await import('./history.ts');
    expect(await findWith(runHistory, CLEAN_HISTORIES)).toBeNull();
  });

  test.each(PLANTED_BUGS.map(({ name }, index) => ({ name, index })))(
    'found: $name',
    async ({ name, index }) => {
      const path = `./history.ts?planted=${index}`;
      const { runHistory } = (await import(/* @vite-ignore */ path)) as { runHistory: RunHistory };
      const { wish } = PLANTED_BUGS[index]!;
      const seed = await findWith(runHistory, HISTORIES_MAX, wish);
      expect(seed, `not found in ${HISTORIES_MAX} histories`).not.toBeNull();
      if (index === 0) expect(seed).toBeLessThan(CANARY_HISTORIES);
      process.stderr.write(`found by seed ${seed}: ${name}\n`);
    },
  );
});
