/** Every planted bug is found within the histories CI has for it, and the command that finds it. */
import { describe, expect, test } from 'vitest';
import { PLANTED_BUGS } from './planted-bugs.ts';

const HISTORIES_MAX = Number(process.env.SEALDISK_PLANTED_HISTORIES ?? 1500);

type RunHistory = typeof import('./history.ts').runHistory;

describe('planted bugs', () => {
  test.each(PLANTED_BUGS.map(({ name }, index) => ({ name, index })))(
    'found: $name',
    async ({ name, index }) => {
      const path = `./history.ts?planted=${index}`;
      const { runHistory } = (await import(/* @vite-ignore */ path)) as { runHistory: RunHistory };
      const start = performance.now();
      for (let seed = 1; seed <= HISTORIES_MAX; seed++) {
        const { violations } = await runHistory(seed);
        if (violations.length === 0) continue;
        const ms = Math.round(performance.now() - start);
        process.stderr.write(`${name}: seed ${seed}, ${ms} ms: ${violations[0]?.slice(0, 120)}\n`);
        return;
      }
      expect.fail(`not found in ${HISTORIES_MAX} histories`);
    },
    600_000,
  );
});
