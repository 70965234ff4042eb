/** What a pass is, and what it is given. */
import type { Prng } from '../../src/base/prng.ts';
import type { Figures } from './figures.ts';
import type { VictimOptions, VictimProcess } from './victim-process.ts';

/** Something a plane did that it must not do. Ends the round; its directory is kept. */
export class ViolationError extends Error {}

export function violate(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const more = problems.length > 5 ? `\n  and ${problems.length - 5} more` : '';
  throw new ViolationError(`${problems.slice(0, 5).join('\n  ')}${more}`);
}

export interface Round {
  readonly seed: number;
  readonly prng: Prng;
  /** Empty, and of this round alone. */
  readonly directory: string;
  readonly figures: Figures;
  /** The library victims load. */
  readonly library: string;
  readonly plant: string | null;
  /** True when no new cycle is to be begun. */
  isOver(): boolean;
  /** A victim that has loaded the library already, if one was started ahead. */
  victim(): VictimProcess;
  /** A victim of its own kind. @param options library: the round's, unless it is another */
  special(options: Partial<Omit<VictimOptions, 'plant'>>): VictimProcess;
}

export interface Pass {
  readonly name: string;
  /** Its part of the time. 0: only where it is asked for by name. */
  readonly weight: number;
  /** What it would find. */
  readonly because: string;
  /** Why it cannot run here; null: it can. */
  readonly missing: () => string | null;
  readonly run: (round: Round) => Promise<void>;
}
