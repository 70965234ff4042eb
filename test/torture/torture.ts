/**
 * A run of torture: passes by turns until the time is over, each on a directory of its own.
 *
 * Which pass is next is decided by the time each has had, by its weight; what a round does, by its
 * seed. When victims are killed is decided by the clock, so a replay does the same, but not at the
 * same instant.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrng } from '../../src/base/prng.ts';
import { Figures } from './figures.ts';
import { type Pass, type Round, ViolationError } from './pass.ts';
import { PASSES } from './passes.ts';
import { smallLibrary, USUAL_LIBRARY } from './small-build.ts';
import { VictimProcess } from './victim-process.ts';

export interface TortureOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Names of passes. @default all */
  readonly passes?: readonly string[];
  readonly plant?: string | null;
  /** Rounds after which it ends. @default as many as there is time for */
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
  const run = new TortureRun(options);
  options.begun?.(run.figures);
  try {
    await run.run();
  } finally {
    await run.close();
  }
  return run.figures;
}

class TortureRun {
  readonly figures = new Figures();
  readonly #options: TortureOptions;
  readonly #directory: string;
  readonly #small: string = smallLibrary();
  readonly #endsAt: number;
  readonly #living = new Set<VictimProcess>();
  readonly #spares = new Map<string, VictimProcess>();

  constructor(options: TortureOptions) {
    this.#options = options;
    this.#directory = mkdtempSync(join(placeForData(), 'sealdisk-torture-'));
    this.#endsAt = performance.now() + options.seconds * 1_000;
  }

  async run(): Promise<void> {
    const { seed, rounds = Infinity, stopsAtViolation } = this.#options;
    const prng = createPrng(seed);
    const passes = this.#passesToRun();
    const spent = new Map(passes.map((pass) => [pass, prng.nextFloat() / 1e6]));
    for (let round = 0; round < rounds && passes.length > 0 && !this.#isOver(); round++) {
      const pass = passes.reduce((least, other) =>
        spent.get(other)! / weightOf(other) < spent.get(least)! / weightOf(least) ? other : least,
      );
      const began = performance.now();
      // A replay of one pass is its first round.
      await this.#runRound(pass, round === 0 ? seed : prng.nextUint32());
      spent.set(pass, spent.get(pass)! + performance.now() - began);
      if (this.figures.violations.length >= (stopsAtViolation === true ? 1 : VIOLATIONS_MAX))
        return;
    }
  }

  async close(): Promise<void> {
    this.#spares.clear();
    await Promise.all([...this.#living].map((victim) => victim.kill()));
    if (this.figures.violations.length === 0) {
      rmSync(this.#directory, { recursive: true, force: true });
    }
  }

  #passesToRun(): Pass[] {
    const { passes: names } = this.#options;
    const unknown = names?.find((name) => !PASSES.some((pass) => pass.name === name));
    if (unknown !== undefined) throw new Error(`no pass is called ${unknown}`);
    return PASSES.filter((pass) => {
      if (names === undefined ? pass.weight === 0 : !names.includes(pass.name)) return false;
      const missing = pass.missing();
      if (missing !== null) this.figures.skipped.set(pass.name, missing);
      return missing === null;
    });
  }

  async #runRound(pass: Pass, seed: number): Promise<void> {
    const directory = join(this.#directory, `${pass.name}-${seed}`);
    mkdirSync(directory);
    try {
      await pass.run(this.#roundOf(seed, directory));
      this.figures.round(pass.name);
    } catch (error) {
      // Cut off by the end of the run.
      if (this.#options.signal?.aborted === true) return;
      const isViolation = error instanceof ViolationError;
      this.#violation(pass, seed, directory, isViolation ? error.message : String(error));
      await this.#killLiving();
      return;
    }
    await this.#killLiving();
    rmSync(directory, { recursive: true, force: true });
  }

  /** Victims a round has left, those started ahead excepted. */
  async #killLiving(): Promise<void> {
    const spares = new Set(this.#spares.values());
    const left = [...this.#living].filter((victim) => !spares.has(victim));
    await Promise.all(left.map((victim) => victim.kill()));
  }

  #violation(pass: Pass, seed: number, directory: string, what: string): void {
    this.figures.violations.push({ pass: pass.name, seed, what, directory });
    const { plant } = this.#options;
    const planted = plant == null ? '' : ` --plant ${plant}`;
    this.#options.say(
      `VIOLATION in pass ${pass.name}, seed ${seed}\n  ${what}\n` +
        `  data directory kept: ${directory}\n` +
        `  replay: npm run torture -- --pass ${pass.name} --seed ${seed} --rounds 1${planted}`,
    );
  }

  #roundOf(seed: number, directory: string): Round {
    const prng = createPrng(seed);
    const { plant = null } = this.#options;
    // Most rounds are on small sizes; some on those people use.
    const library = prng.nextBelow(8) === 0 ? USUAL_LIBRARY : this.#small;
    return {
      seed,
      prng,
      directory,
      figures: this.figures,
      library,
      plant,
      isOver: () => this.#isOver(),
      victim: () => this.#victim(library),
      special: (options) => this.#start({ library, ...options, plant }),
    };
  }

  #victim(library: string): VictimProcess {
    const { plant = null } = this.#options;
    const spare = this.#spares.get(library);
    this.#spares.set(library, this.#start({ library, plant }));
    return spare !== undefined && !spare.isEnded ? spare : this.#start({ library, plant });
  }

  #start(options: ConstructorParameters<typeof VictimProcess>[0]): VictimProcess {
    const victim = new VictimProcess(options);
    this.#living.add(victim);
    void victim.ended.then(() => this.#living.delete(victim));
    return victim;
  }

  #isOver(): boolean {
    return performance.now() >= this.#endsAt || this.#options.signal?.aborted === true;
  }
}

function weightOf({ weight }: Pass): number {
  return Math.max(weight, 1);
}

function placeForData(): string {
  if (!existsSync(MEMORY_DIRECTORY)) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY_DIRECTORY);
  return bavail * bsize >= MEMORY_BYTES_MIN ? MEMORY_DIRECTORY : tmpdir();
}
