/**
 * A run of torture: lanes side by side (lane.ts) until the time is over, each with a seed of its
 * own. The checker of all is one process; every victim is one.
 */
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Figures } from './figures.ts';
import { Lane } from './lane.ts';
import type { Pass } from './pass.ts';
import { PASSES } from './passes.ts';
import { smallLibrary } from './small-build.ts';

export interface TortureOptions {
  readonly seconds: number;
  /** Of the first lane; each other has the next. */
  readonly seed: number;
  /** Victims tortured side by side, each in a lane. @default 1 */
  readonly processes?: number;
  /** Names of passes. @default all */
  readonly passes?: readonly string[];
  readonly plant?: string | null;
  /** Rounds, of all lanes, after which it ends. @default as many as there is time for */
  readonly rounds?: number;
  /** Ends at the first violation. @default false */
  readonly stopsAtViolation?: boolean;
  readonly signal?: AbortSignal;
  /** Given the figures at once, to be looked at meanwhile. */
  readonly begun?: (figures: Figures) => void;
  readonly say: (line: string) => void;
}

/** Memory, so that the disk's speed does not decide how much is tried: a kill loses no page. */
const MEMORY_DIRECTORY = '/dev/shm';
const MEMORY_BYTES_MIN: number = 2 ** 30;

/** Each keeps a data directory. */
const VIOLATIONS_MAX = 10;

export async function torture(options: TortureOptions): Promise<Figures> {
  const { seed, processes = 1, rounds = Infinity, stopsAtViolation, signal } = options;
  const figures = new Figures();
  options.begun?.(figures);
  const directory = mkdtempSync(join(placeForData(), 'sealdisk-torture-'));
  const endsAt = performance.now() + options.seconds * 1_000;
  const violationsMax = stopsAtViolation === true ? 1 : VIOLATIONS_MAX;
  const isCutOff = (): boolean => signal?.aborted === true;
  let taken = 0;
  const run = {
    figures,
    passes: passesToRun(options.passes, figures),
    plant: options.plant ?? null,
    directory,
    small: await smallLibrary(),
    isCutOff,
    isOver: () =>
      performance.now() >= endsAt || isCutOff() || figures.violations.length >= violationsMax,
    takeRound: () => taken++ < rounds,
    say: options.say,
  };
  const lanes = Array.from(
    { length: processes },
    (_, index) => new Lane(run, (seed + index) >>> 0),
  );
  try {
    await Promise.all(lanes.map((lane) => lane.run()));
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
    if (figures.violations.length === 0) rmSync(directory, { recursive: true, force: true });
  }
  return figures;
}

function passesToRun(names: readonly string[] | undefined, figures: Figures): Pass[] {
  const unknown = names?.find((name) => !PASSES.some((pass) => pass.name === name));
  if (unknown !== undefined) throw new Error(`no pass is called ${unknown}`);
  return PASSES.filter((pass) => {
    if (names === undefined ? pass.weight === 0 : !names.includes(pass.name)) return false;
    const missing = pass.missing();
    if (missing !== null) figures.skipped.set(pass.name, missing);
    return missing === null;
  });
}

function placeForData(): string {
  if (!existsSync(MEMORY_DIRECTORY)) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY_DIRECTORY);
  return bavail * bsize >= MEMORY_BYTES_MIN ? MEMORY_DIRECTORY : tmpdir();
}
