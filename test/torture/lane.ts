/**
 * A lane of a run: passes by turns until the time is over, each round on a directory of its own,
 * with victims of its own. Lanes share nothing but the machine and the figures.
 *
 * Which pass is next is decided by the time each has had, by its weight; what a round does, by its
 * seed. When victims are killed is decided by the clock, so a replay does the same, but not at the
 * same instant.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createPrng, type Prng } from '../../src/base/prng.ts';
import type { Figures } from './figures.ts';
import { type Pass, type Round, ViolationError } from './pass.ts';
import { USUAL_LIBRARY } from './small-build.ts';
import { type VictimOptions, VictimProcess } from './victim-process.ts';

/** What the lanes of a run have in common. */
export interface Run {
  readonly figures: Figures;
  readonly passes: readonly Pass[];
  readonly plant: string | null;
  /** Each round has a folder in it. */
  readonly directory: string;
  /** Path of the library with small sizes. */
  readonly small: string;
  /** True when no new cycle is to be begun. */
  isOver(): boolean;
  /** True when what is under way is cut off. */
  isCutOff(): boolean;
  /** Takes one of the rounds that are left. @returns false if there is none */
  takeRound(): boolean;
  say(line: string): void;
}

export class Lane {
  readonly #run: Run;
  readonly #seed: number;
  readonly #prng: Prng;
  readonly #living = new Set<VictimProcess>();
  /** By library: started ahead. */
  readonly #spares = new Map<string, VictimProcess>();

  constructor(run: Run, seed: number) {
    this.#run = run;
    this.#seed = seed;
    this.#prng = createPrng(seed);
  }

  async run(): Promise<void> {
    const { passes } = this.#run;
    const spent = new Map(passes.map((pass) => [pass, this.#prng.nextFloat() / 1e6]));
    // A replay of one pass is its first round.
    let seed = this.#seed;
    while (passes.length > 0 && !this.#run.isOver() && this.#run.takeRound()) {
      const pass = passes.reduce((least, other) =>
        spent.get(other)! / weightOf(other) < spent.get(least)! / weightOf(least) ? other : least,
      );
      const began = performance.now();
      await this.#runRound(pass, seed);
      seed = this.#prng.nextUint32();
      spent.set(pass, spent.get(pass)! + performance.now() - began);
    }
  }

  /** Ends every victim. */
  async close(): Promise<void> {
    this.#spares.clear();
    await this.#killLiving();
  }

  async #runRound(pass: Pass, seed: number): Promise<void> {
    const directory = join(this.#run.directory, `${pass.name}-${seed}`);
    mkdirSync(directory);
    try {
      await pass.run(this.#roundOf(seed, directory));
      this.#run.figures.round(pass.name);
    } catch (error) {
      // Cut off by the end of the run.
      if (this.#run.isCutOff()) return;
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
    const { figures, plant, say } = this.#run;
    figures.violations.push({ pass: pass.name, seed, what, directory });
    const planted = plant === null ? '' : ` --plant ${plant}`;
    say(
      `VIOLATION in pass ${pass.name}, seed ${seed}\n  ${what}\n` +
        `  data directory kept: ${directory}\n` +
        `  replay: npm run torture -- --pass ${pass.name} --seed ${seed} --rounds 1${planted}`,
    );
  }

  #roundOf(seed: number, directory: string): Round {
    const prng = createPrng(seed);
    const { figures, plant, small } = this.#run;
    // Most rounds are on small sizes; some on those people use.
    const library = prng.nextBelow(8) === 0 ? USUAL_LIBRARY : small;
    return {
      seed,
      prng,
      directory,
      figures,
      library,
      plant,
      isOver: () => this.#run.isOver(),
      victim: () => this.#victim(library),
      special: (options) => this.#start({ library, ...options, plant }),
    };
  }

  #victim(library: string): VictimProcess {
    const { plant } = this.#run;
    const spare = this.#spares.get(library);
    this.#spares.set(library, this.#start({ library, plant }));
    return spare !== undefined && !spare.isEnded ? spare : this.#start({ library, plant });
  }

  #start(options: VictimOptions): VictimProcess {
    const victim = new VictimProcess(options);
    this.#living.add(victim);
    void victim.ended.then(() => this.#living.delete(victim));
    return victim;
  }
}

function weightOf({ weight }: Pass): number {
  return Math.max(weight, 1);
}
