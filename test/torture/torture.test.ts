/**
 * Torture at the size of CI: all passes for a while, and the proof that they can fail, by bugs
 * planted in the victims.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { PASSES } from './passes.ts';
import { PLANTS } from './plants.ts';

const MAIN = fileURLToPath(new URL('../../dist/test/torture/main.js', import.meta.url));
const SECONDS = 40;
/** Most are found in two or three; this is for machines that do something else too. */
const PLANT_SECONDS = 120;

interface Summary {
  readonly seed: number;
  readonly processes: number;
  readonly operations: number;
  readonly kills: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly rounds: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, string>>;
  readonly violations: number;
  readonly violated: readonly {
    readonly pass: string;
    readonly seed: number;
    readonly directory: string;
  }[];
}

interface Outcome {
  readonly code: number | null;
  readonly summary: Summary;
  readonly said: string;
}

function torture(parameters: readonly string[], signalAfterMs?: number): Promise<Outcome> {
  const child = spawn(process.execPath, [MAIN, '--json', ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, said] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => {
    out += bytes;
  });
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes;
  });
  if (signalAfterMs !== undefined) setTimeout(() => child.kill('SIGINT'), signalAfterMs);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      try {
        resolve({ code, summary: JSON.parse(out) as Summary, said });
      } catch (error) {
        reject(new Error(`no summary on stdout; on stderr: ${said}`, { cause: error }));
      }
    });
  });
}

test('all passes: no violation', async ({ annotate }) => {
  const limits = ['--seconds', String(SECONDS), '--processes', '2'];
  const { code, summary, said } = await torture(limits);
  await annotate(JSON.stringify(summary));
  expect(said).not.toContain('VIOLATION');
  expect(code).toBe(0);
  expect(summary.violations).toBe(0);
  expect(summary.kills).toBeGreaterThan(0);
  expect(summary.operations).toBeGreaterThan(0);
});

// Kills come by the clock: a bug that was not met is looked for again.
describe.concurrent('a planted bug is found', { retry: 2 }, () => {
  test.for(Object.entries(PLANTS))('%s', async ([plant, { foundBy }], { expect, skip }) => {
    const missing = PASSES.find(({ name }) => name === foundBy)!.missing();
    skip(missing !== null, missing ?? '');
    const limits = ['--seconds', String(PLANT_SECONDS), '--seed', '1'];
    const { code, summary, said } = await torture([...limits, '--pass', foundBy, '--plant', plant]);
    expect(code, said).toBe(1);
    expect(summary.violations).toBe(1);
    const replay = `npm run torture -- --pass ${foundBy} --seed \\d+ --rounds 1 --plant ${plant}`;
    expect(said).toMatch(new RegExp(replay));
    rmSync(dirname(summary.violated[0]!.directory), { recursive: true });
  });
});

test('SIGINT ends a run early, with its summary', async () => {
  const { code, summary } = await torture(['--seconds', '600', '--pass', 'kill'], 3_000);
  expect(code).toBe(0);
  expect(summary.violations).toBe(0);
});

test('several processes at a time: one summary of all, and every kill has its kind', async () => {
  const limits = ['--seconds', '4', '--seed', '20261122', '--processes', '3'];
  const { code, summary, said } = await torture([...limits, '--pass', 'kill']);
  expect(code, said).toBe(0);
  expect(said).toContain('3 at a time');
  expect(summary).toMatchObject({ seed: 20261122, processes: 3, violations: 0 });
  // Each ends the round it is in, and in each round there is a kill.
  expect(summary.rounds.kill).toBeGreaterThanOrEqual(3);
  expect(summary.faults.kill).toBeGreaterThanOrEqual(3);
  const sum = Object.values(summary.faults).reduce((left, right) => left + right, 0);
  expect(summary.kills).toBe(sum);
});

test('a violation in one of several processes ends the run, with what replays it', async () => {
  const bug = ['--pass', 'kill', '--plant', 'disks-mixed-up'];
  const limits = ['--seconds', String(PLANT_SECONDS), '--processes', '3'];
  const { code, summary, said } = await torture([...limits, ...bug]);
  expect(code, said).toBe(1);
  expect(summary.violations).toBeGreaterThan(0);
  const [{ pass, seed, directory }] = summary.violated as [Summary['violated'][number]];
  expect(said).toContain(`--pass ${pass} --seed ${seed} --rounds 1 --plant disks-mixed-up`);
  rmSync(dirname(directory), { recursive: true });
});

test.each([
  ['a pass there is not', ['--pass', 'nonesuch']],
  ['a bug there is not', ['--plant', 'nonesuch']],
  ['no number', ['--seconds', 'many']],
  ['nobody to kill', ['--processes', '0']],
  ['an option there is not', ['--nonesuch']],
])('%s is told, with what there is', async (_, parameters) => {
  await expect(torture(parameters)).rejects.toThrow(/npm run torture[\s\S]*pass +kill/);
});
