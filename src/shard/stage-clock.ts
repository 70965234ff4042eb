/**
 * Where the shard spends the time of a request that main asked to be timed: in the cipher, and in
 * all the rest. Requests that are not timed cost one look at a flag.
 *
 *   begin() ─▶ cipherBegins(), cipherEnds() any number of times ─▶ end() ─▶ ... other requests
 *     ─▶ commitBegins() ─▶ commitEnds(): noted in the slots of all timed requests of the batch
 *
 * **Thread:** shard. One request is executed at a time, so one clock is enough for the thread.
 */
import { sharedMicroseconds } from '../base/clock.ts';
import type { ShardChannel } from '../record/shard-channel.ts';

/** Stands for a time that is not taken. */
const NONE = 0;

class StageClock {
  #isOn = false;
  #beganAt = NONE;
  #crypto = 0;
  /** Of this batch. */
  readonly #timed: number[] = [];

  begin(): void {
    this.#isOn = true;
    this.#crypto = 0;
    this.#beganAt = sharedMicroseconds();
  }

  cipherBegins(): number {
    return this.#isOn ? sharedMicroseconds() : NONE;
  }

  /** @param beganAt what cipherBegins() gave */
  cipherEnds(beganAt: number): void {
    if (beganAt !== NONE) this.#crypto += sharedMicroseconds() - beganAt;
  }

  end(channel: ShardChannel, position: number): void {
    const whole = sharedMicroseconds() - this.#beganAt;
    this.#isOn = false;
    this.#timed.push(position);
    channel.noteExecuted(position, this.#crypto, whole - this.#crypto);
  }

  commitBegins(): number {
    return this.#timed.length === 0 ? NONE : sharedMicroseconds();
  }

  /** @param beganAt what commitBegins() gave */
  commitEnds(channel: ShardChannel, beganAt: number): void {
    if (beganAt === NONE) return;
    const now = sharedMicroseconds();
    for (const position of this.#timed) channel.noteDone(position, now - beganAt, now);
    this.#timed.length = 0;
  }
}

export const stageClock: StageClock = new StageClock();
