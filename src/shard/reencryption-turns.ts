/**
 * Steps of re-encryption that main has asked for, done in slices between the requests of callers:
 * a message to a thread costs more than a slice, so main asks for much and the shard divides it.
 *
 *   add(step) ─▶ slice … slice (one between two batches, the ring's requests first) ─▶ answer
 *
 * 1. A slice is short, and while requests keep coming there are REENCRYPT_SLICE_GAP_MS between two:
 *    a request waits for one slice at the most, and callers keep most of the thread.
 * 2. Every step is answered once: with what its slices did together, or the error of one of them.
 *
 * **Thread:** shard.
 */
import type { Clock } from '../base/clock.ts';
import { REENCRYPT_SLICE_GAP_MS } from '../limits.ts';
import type { ReencryptProgress } from '../record/shard-message.ts';

/** A step as main asks for it. */
export interface ReencryptionStep {
  readonly id: number;
  readonly handle: number;
  readonly sectorsMax: number;
  readonly sliceSectors: number;
}

export interface TurnParts {
  readonly clock: Clock;
  /** One slice on a volume. @throws PlaneError */
  readonly perform: (handle: number, sectorsMax: number) => ReencryptProgress;
  /** Answers a step with what `act` returns or throws. */
  readonly answer: (id: number, act: () => ReencryptProgress) => void;
}

interface Turn {
  readonly step: ReencryptionStep;
  movedSectors: number;
  takenSectors: number;
}

export class ReencryptionTurns {
  private readonly parts: TurnParts;
  /** As many as tasks ask at once: main lets them take turns, and waits for each answer. */
  private readonly turns: Turn[] = [];
  private nextAt = 0;

  constructor(parts: TurnParts) {
    this.parts = parts;
  }

  add(step: ReencryptionStep): void {
    this.turns.push({ step, movedSectors: 0, takenSectors: 0 });
  }

  /**
   * Does one slice if it is time for one.
   *
   * @param isBusy callers have just been served
   * @returns whether one was done
   */
  run(isBusy: boolean): boolean {
    const turn = this.turns[0];
    if (turn === undefined) return false;
    const { clock, perform, answer } = this.parts;
    if (isBusy && clock.monotonic() < this.nextAt) return false;
    const { id, handle, sectorsMax, sliceSectors } = turn.step;
    const sectors = Math.min(sliceSectors, sectorsMax - turn.takenSectors);
    let end: (() => ReencryptProgress) | null = null;
    try {
      const progress = perform(handle, sectors);
      turn.movedSectors += progress.movedSectors;
      turn.takenSectors += sectors;
      const { movedSectors } = turn;
      if (progress.isDone || turn.takenSectors === sectorsMax) {
        end = () => ({ ...progress, movedSectors });
      }
    } catch (error) {
      end = () => {
        throw error;
      };
    }
    if (end !== null) {
      this.turns.shift();
      answer(id, end);
    }
    this.nextAt = clock.monotonic() + REENCRYPT_SLICE_GAP_MS;
    return true;
  }

  /** Answers what is left with an error. */
  close(error: (handle: number) => Error): void {
    for (const { step } of this.turns.splice(0)) {
      this.parts.answer(step.id, () => {
        throw error(step.handle);
      });
    }
  }
}
