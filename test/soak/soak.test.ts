/** The soak of CI: 45 seconds of rounds; `npm run soak -- --seconds 3600` is an hour of them. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';

const SECONDS = 45;
const program = new URL('soak.mjs', import.meta.url).pathname;
const obstacle = existsSync('/proc/self/status') ? '' : '(skipped: no /proc here)';

interface SoakResult {
  readonly rounds: number;
  readonly violations: number;
  readonly rows: readonly { name: string; perRound: number; boundPerRound: number; last: number }[];
}

it.skipIf(obstacle !== '')(
  `memory, descriptors, timers and held keys stay level over rounds of it all ${obstacle}`,
  // Memory comes and goes with the collector: what leaks grows every time.
  { retry: 1, timeout: 600_000 },
  () => {
    const words = ['--expose-gc', program, '--seconds', `${SECONDS}`, '--json'];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    const result = JSON.parse(stdout) as SoakResult;
    const growing = result.rows.filter(({ perRound, boundPerRound }) => perRound > boundPerRound);
    expect({ growing, stderr, status }).toEqual({ growing: [], stderr, status: 0 });
    expect(result.violations).toBe(0);
    // A slope over fewer rounds would say little: on any machine that runs these tests there are.
    expect(result.rounds).toBeGreaterThan(10);
    const heldKeys = result.rows.find(({ name }) => name === 'heldKeys');
    expect(heldKeys?.last).toBe(0);
  },
);

it.skipIf(obstacle !== '')(
  'a leak of memory, of a descriptor and of a key in each round is found',
  { retry: 1, timeout: 300_000 },
  () => {
    const words = ['--expose-gc', program, '--seconds', '15', '--json', '--leak'];
    const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    const { rows } = JSON.parse(stdout) as SoakResult;
    const growing = rows.filter(({ perRound, boundPerRound }) => perRound > boundPerRound);
    expect(growing.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['bufferBytes', 'descriptors', 'heldKeys']),
    );
    expect(status).toBe(1);
  },
);
