/**
 * Time and order of a simulated process: what runs next is drawn from the seed.
 *
 * A lane is a queue whose tasks run in their order: a port's messages, a store's commits. Which
 * lane is next is chance, weighted, so a lane may lag far behind the others. Timers are due by the
 * simulated monotonic clock, which moves a little with every task, and on to the next timer when
 * nothing else is left.
 *
 * While a history runs, the timers, immediates and performance.now of this process are the
 * simulated ones: code that waits waits here.
 */
import type { Clock } from '../../src/base/clock.ts';
import type { Prng } from '../../src/base/prng.ts';

type Task = () => void;

/** As setTimeout gives it, as far as anybody uses it. */
class Timer {
  readonly dueMs: number;
  readonly run: Task;

  constructor(dueMs: number, run: Task) {
    this.dueMs = dueMs;
    this.run = run;
  }

  unref(): this {
    return this;
  }
}

export class Lane {
  readonly weight: number;
  readonly #tasks: Task[] = [];

  constructor(weight: number) {
    this.weight = weight;
  }

  get length(): number {
    return this.#tasks.length;
  }

  push(task: Task): void {
    this.#tasks.push(task);
  }

  runNext(): void {
    this.#tasks.shift()?.();
  }
}

/** Somebody who has something to do now and then, and says when. */
export interface Actor {
  readonly weight: number;
  isReady(): boolean;
  act(): void;
}

/** Wall time of every history's beginning: 31 January 2026, noon. */
const EPOCH_MS = Date.UTC(2026, 0, 31, 12);

export class SimulatedTime {
  readonly clock: Clock = {
    now: () => Math.floor(this.#wallMs),
    monotonic: () => this.#monotonicMs,
  };
  readonly #prng: Prng;
  #lanes: Lane[] = [];
  #actors: Actor[] = [];
  #timers: Timer[] = [];
  #immediates = new Lane(1);
  #wallMs = EPOCH_MS;
  #monotonicMs = 1000;

  constructor(prng: Prng) {
    this.#prng = prng;
    this.reset();
  }

  /** The process has ended: nothing that it had begun goes on. */
  reset(): void {
    this.#immediates = new Lane(1);
    this.#lanes = [this.#immediates];
    this.#actors = [];
    this.#timers = [];
  }

  lane(weight: number): Lane {
    const lane = new Lane(weight);
    this.#lanes.push(lane);
    return lane;
  }

  addActor(actor: Actor): void {
    this.#actors.push(actor);
  }

  removeActor(actor: Actor): void {
    this.#actors = this.#actors.filter((each) => each !== actor);
  }

  /** The wall clock is set; the monotonic one knows nothing of it. */
  jump(milliseconds: number): void {
    this.#wallMs += milliseconds;
  }

  /** Nothing is under way; timers may be running. */
  get isQuiet(): boolean {
    const hasTasks = this.#lanes.some(({ length }) => length > 0);
    return !hasTasks && !this.#actors.some((actor) => actor.isReady());
  }

  /** Runs one task of one lane, actor or timer. @returns false if there is nothing to run */
  step(): boolean {
    this.#advance(this.#prng.nextFloat());
    const due = this.#timers[0];
    if (due !== undefined && due.dueMs <= this.#monotonicMs && this.#prng.nextBelow(2) === 0) {
      this.#timers.shift();
      due.run();
      return true;
    }
    return this.#runDrawn() || this.#runTimer();
  }

  after(milliseconds: number, run: Task): Timer {
    const timer = new Timer(this.#monotonicMs + Math.max(0, milliseconds), run);
    const at = this.#timers.findIndex(({ dueMs }) => dueMs > timer.dueMs);
    this.#timers.splice(at < 0 ? this.#timers.length : at, 0, timer);
    return timer;
  }

  cancel(timer: unknown): void {
    const at = this.#timers.indexOf(timer as Timer);
    if (at >= 0) this.#timers.splice(at, 1);
  }

  /** @returns what cancel() takes */
  every(milliseconds: number, run: Task): { current: Timer } {
    const again = (): void => {
      repeated.current = this.after(milliseconds, again);
      run();
    };
    const repeated = { current: this.after(milliseconds, again) };
    return repeated;
  }

  immediate(task: Task): void {
    this.#immediates.push(task);
  }

  #advance(milliseconds: number): void {
    this.#wallMs += milliseconds;
    this.#monotonicMs += milliseconds;
  }

  #runDrawn(): boolean {
    let total = 0;
    for (const lane of this.#lanes) if (lane.length > 0) total += lane.weight;
    const ready = this.#actors.filter((actor) => actor.isReady());
    for (const actor of ready) total += actor.weight;
    if (total === 0) return false;
    let drawn = this.#prng.nextFloat() * total;
    for (const actor of ready) {
      drawn -= actor.weight;
      if (drawn >= 0) continue;
      actor.act();
      return true;
    }
    for (const lane of this.#lanes) {
      if (lane.length === 0) continue;
      drawn -= lane.weight;
      if (drawn >= 0) continue;
      lane.runNext();
      return true;
    }
    return this.#runLast();
  }

  /** Rounding has left nobody. */
  #runLast(): boolean {
    const lane = this.#lanes.find(({ length }) => length > 0);
    lane?.runNext();
    return lane !== undefined;
  }

  #runTimer(): boolean {
    const next = this.#timers.shift();
    if (next === undefined) return false;
    this.#advance(Math.max(0, next.dueMs - this.#monotonicMs));
    next.run();
    return true;
  }
}

const realSetImmediate = setImmediate;

/**
 * Immediates asked for at once: between two of them every promise that can settle does, and a turn
 * of the real event loop, which costs as much as all else in a step, comes after all of them.
 */
const IMMEDIATES_AT_ONCE = 256;
let immediatesLeft = 0;
let settled: (() => void)[] = [];

function tellSettled(): void {
  immediatesLeft--;
  const told = settled;
  settled = [];
  for (const tell of told) tell();
}

/** Lets every promise that can settle now do so. */
export function settleMicrotasks(): Promise<void> {
  return new Promise((resolve) => {
    settled.push(resolve);
    if (immediatesLeft > 0) return;
    while (immediatesLeft < IMMEDIATES_AT_ONCE) {
      immediatesLeft++;
      realSetImmediate(tellSettled);
    }
  });
}

/** Runs something whose timers and immediates are the simulated ones. */
export async function withSimulatedTimers<T>(
  time: SimulatedTime,
  run: () => Promise<T>,
): Promise<T> {
  const { setTimeout, clearTimeout, setImmediate, setInterval, clearInterval } = globalThis;
  const simulated = {
    setTimeout: (task: Task, milliseconds = 0) => time.after(milliseconds, task),
    clearTimeout: (timer: unknown) => time.cancel(timer),
    setImmediate: (task: Task) => time.immediate(task),
    setInterval: (task: Task, milliseconds = 0) => time.every(milliseconds, task),
    clearInterval: (interval: { current: unknown }) => time.cancel(interval?.current),
  };
  const performanceNow = performance.now;
  Object.assign(globalThis, simulated);
  performance.now = () => time.clock.monotonic();
  try {
    return await run();
  } finally {
    const real = { setTimeout, clearTimeout, setImmediate, setInterval, clearInterval };
    Object.assign(globalThis, real);
    performance.now = performanceNow;
  }
}
