/**
 * When the requests of a sample were where: from the call to the answer, by stages.
 *
 *   queue    waits for its shard: for its turn, and for the others of its batch
 *   crypto   its sectors are encrypted or decrypted
 *   store    the rest of what the shard does for it: map, segments, the commit it waits for
 *   held     the modelled disk is not done with it yet
 *   answer   the way back: from the shard's word to the caller's answer, copying included
 *
 * They add up to the whole. Times are sharedMicroseconds() of main and of the shard.
 *
 * **Thread:** main.
 */
import { sharedMicroseconds } from '../base/clock.ts';
import type { ShardChannel } from '../record/shard-channel.ts';

export const STAGES = ['queue', 'crypto', 'store', 'held', 'answer'] as const;
export type Stage = (typeof STAGES)[number];

/** Seconds. */
export type StageSeconds = Readonly<Record<Stage, number>>;

const SECOND = 1_000_000;

/** Of one request. */
export class RequestTimes {
  readonly #beganAt = sharedMicroseconds();
  #crypto = 0;
  #store = 0;
  #doneAt = 0;
  #settledAt = 0;

  /** A piece was done. They come in order. */
  take(channel: ShardChannel, position: number): void {
    const doneAt = channel.doneAt(position);
    this.#crypto += channel.cryptoMicroseconds(position);
    this.#store += channel.storeMicroseconds(position);
    // Pieces of one batch were committed together.
    if (doneAt !== this.#doneAt) this.#store += channel.commitMicroseconds(position);
    this.#doneAt = doneAt;
  }

  /** The last piece was done; the caller is answered now, or later by a modelled disk. */
  settle(): void {
    this.#settledAt = sharedMicroseconds();
  }

  /** The caller is answered. */
  answer(): StageSeconds & { readonly whole: number } {
    const whole = sharedMicroseconds() - this.#beganAt;
    const held = whole + this.#beganAt - this.#settledAt;
    const inShard = this.#crypto + this.#store;
    // Parts are noted to a ten-millionth of themselves: what waited not at all may come out below.
    const queue = Math.max(0, this.#doneAt - this.#beganAt - inShard);
    const answer = this.#settledAt - this.#doneAt;
    return {
      queue: queue / SECOND,
      crypto: this.#crypto / SECOND,
      store: this.#store / SECOND,
      held: held / SECOND,
      answer: answer / SECOND,
      whole: whole / SECOND,
    };
  }
}

/** An IoStages of types.ts, which this layer does not import: the sums of one disk. */
export class StageSums {
  #requests = 0;
  readonly #sums: Record<Stage, number> = { queue: 0, crypto: 0, store: 0, held: 0, answer: 0 };

  add(seconds: StageSeconds): void {
    this.#requests++;
    for (const stage of STAGES) this.#sums[stage] += seconds[stage];
  }

  read(): StageSeconds & { readonly requests: number } {
    return { requests: this.#requests, ...this.#sums };
  }
}
