/**
 * An alarm finer than Node's timers, which count in milliseconds: a thread that sleeps until a
 * moment and wakes main, some tens of microseconds late. It neither looks nor holds anything.
 *
 * It may ring early, or for what was set before; never is it the only thing to rely on.
 *
 * **Thread:** main.
 */
import { Worker } from 'node:worker_threads';
import { sharedMicroseconds } from '../base/clock.ts';
import {
  ALARM_DUE,
  ALARM_RINGS,
  ALARM_SETS,
  ALARM_STOP,
  ALARM_WORDS,
} from '../record/alarm-words.ts';

/** Something that calls back at a moment. */
export interface Alarm {
  /** In so many milliseconds, in place of what was set before. */
  set(milliseconds: number): void;
  close(): Promise<void>;
}

export function startAlarmThread(onRing: () => void): Alarm {
  return new AlarmThread(onRing);
}

class AlarmThread implements Alarm {
  readonly #words = new Int32Array(new SharedArrayBuffer(4 * ALARM_WORDS));
  readonly #worker: Worker;
  readonly #onRing: () => void;
  readonly #ended: Promise<void>;
  #isWaiting = false;
  #isOpen = true;

  constructor(onRing: () => void) {
    this.#onRing = onRing;
    this.#worker = new Worker(new URL('../../workers/alarm.js', import.meta.url), {
      name: 'alarm',
      execArgv: [],
      workerData: this.#words,
    });
    this.#ended = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    // Without it what is due is noticed later, by the timer of who set it.
    this.#worker.on('error', () => {});
  }

  set(milliseconds: number): void {
    const words = this.#words;
    // First, or a ring could come before anybody waits for it.
    this.#wait();
    Atomics.store(words, ALARM_DUE, (sharedMicroseconds() + milliseconds * 1_000) | 0);
    Atomics.add(words, ALARM_SETS, 1);
    Atomics.notify(words, ALARM_SETS);
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    Atomics.store(this.#words, ALARM_STOP, 1);
    Atomics.add(this.#words, ALARM_SETS, 1);
    Atomics.notify(this.#words, ALARM_SETS);
    await this.#ended;
    // Whoever waits on the counter is let go.
    Atomics.notify(this.#words, ALARM_RINGS);
  }

  #wait(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    const rings = Atomics.load(this.#words, ALARM_RINGS);
    const { async, value } = Atomics.waitAsync(this.#words, ALARM_RINGS, rings);
    const ring = (): void => {
      this.#isWaiting = false;
      if (this.#isOpen) this.#onRing();
    };
    if (async) value.then(ring);
    else queueMicrotask(ring);
  }
}
