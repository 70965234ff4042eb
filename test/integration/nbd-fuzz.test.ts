/**
 * An NBD server under clients that say anything: it does not end, hang or grow, answers nobody
 * twice, shows nobody what nobody wrote; and who means well does not notice.
 *
 * As long as SEALDISK_FUZZ_SECONDS says; SEALDISK_SEED decides what (support/seed.ts).
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { createPrng } from '../../src/base/prng.ts';
import { longFactor } from '../support/long.ts';
import { type FuzzOutcome, fuzzNbd } from '../support/nbd-fuzz.ts';
import { fuzzSession } from '../support/nbd-fuzz-session.ts';
import { suiteSeed } from '../support/seed.ts';
import { tempDir } from '../support/temp-dir.ts';

const SERVER = new URL('nbd-fuzz-server.mjs', import.meta.url).pathname;
const SECONDS =
  Number(process.env.SEALDISK_FUZZ_SECONDS ?? (process.env.CI ? 60 : 10)) * longFactor;
/** Payloads in flight (NBD_BYTES_MAX), kept (NBD_POOL_BYTES_MAX), exports' content, garbage. */
const GROWTH_BYTES_MAX = 900 * 2 ** 20;

interface Fuzzed extends FuzzOutcome {
  /** What the server ended with. */
  readonly code: number | null;
  readonly bugs: readonly string[];
  readonly grownBytes: number;
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

async function fuzz(seed: number, seconds: number, planted = ''): Promise<Fuzzed> {
  using directory = tempDir();
  const socketPath = join(directory.path, 's');
  const words = planted === '' ? [SERVER, socketPath] : [SERVER, socketPath, planted];
  const stdio: ['ignore', 'pipe', 'ignore' | 'inherit'] = [
    'ignore',
    'pipe',
    planted === '' ? 'inherit' : 'ignore',
  ];
  const child = spawn(process.execPath, words, { stdio });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('listening');
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const before = residentBytes(child.pid!);
  let grownBytes = 0;
  const watch = (): string | null => {
    if (child.exitCode !== null || child.signalCode !== null) return 'the server ended';
    grownBytes = Math.max(grownBytes, residentBytes(child.pid!) - before);
    return grownBytes > GROWTH_BYTES_MAX ? `the server has grown by ${grownBytes} bytes` : null;
  };
  const milliseconds = seconds * 1000;
  const hangMs = planted === 'hang' ? { hangMs: 5_000 } : {};
  const outcome = await fuzzNbd({ socketPath, seed, milliseconds, watch, ...hangMs });
  child.kill(planted === '' ? 'SIGTERM' : 'SIGKILL');
  const last = planted === '' ? ((await lines.next()).value as string | undefined) : '[]';
  const bugs = JSON.parse(last ?? '["it printed nothing"]') as string[];
  return { ...outcome, code: await ended, bugs, grownBytes };
}

/** Session 20,361,845 doubled a request and made a READ of the double. */
test('the fuzzer sends no two different requests under one cookie', () => {
  for (const seed of [20_361_845, ...Array.from({ length: 3_000 }, (_, index) => index)]) {
    const { kind, chunks } = fuzzSession(createPrng(seed));
    if (kind !== 'mutated') continue;
    const stream = Buffer.concat(chunks);
    const shapes = new Map<bigint, string>();
    for (let at = 0; at + 28 <= stream.length; at++) {
      if (stream.readUInt32BE(at) !== 0x25609513) continue;
      const cookie = stream.readBigUInt64BE(at + 8);
      const shape = `${stream.readUInt16BE(at + 6)} ${stream.readUInt32BE(at + 24)}`;
      expect(shape, `session of seed ${seed}`).toBe(shapes.get(cookie) ?? shape);
      shapes.set(cookie, shape);
    }
  }
});

test(
  `${SECONDS} seconds of fuzzed sessions`,
  async () => {
    console.log(`seed ${suiteSeed}`);
    const { problem, code, bugs, sessions, answers, healthyRounds, grownBytes } = await fuzz(
      suiteSeed,
      SECONDS,
    );
    const grown = Math.round(grownBytes / 2 ** 20);
    console.log(`${sessions} sessions, ${answers} answers, ${healthyRounds} rounds, +${grown} MiB`);
    expect({ problem, code, bugs }).toEqual({ problem: null, code: 0, bugs: [] });
    expect(sessions).toBeGreaterThan(100);
    expect(answers).toBeGreaterThan(100);
    expect(healthyRounds).toBeGreaterThan(10);
  },
  SECONDS * 1000 + 120_000,
);

/** What is planted in the server, and what the fuzzer has to say of it. */
test.each([
  ['twice', /answered twice|is answered|other bytes|neither a reply/],
  ['hang', /hangs/],
  ['bytes', /nobody wrote|other bytes/],
  ['mixed', /other bytes/],
  ['crash', /the server ended/],
  ['leak', /has grown/],
])(
  'the fuzzer finds a planted bug: %s',
  // Chance decides when it strikes; how many sessions there are, the machine.
  { retry: 2, timeout: 200_000 },
  async (planted, found) => {
    const { problem } = await fuzz(7, 90, planted);
    expect(problem).toMatch(found);
  },
);
