/** Time as a parameter, so that tests and the simulator can set it. */

export interface Clock {
  /** Wall time, milliseconds since 1970. For records people read, never for durations. */
  now(): number;
  /** Monotonic time, milliseconds. For durations and deadlines. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** Monotonic time that is the same on every thread, as performance.now() is not. */
export function sharedMicroseconds(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000_000 + nanoseconds / 1_000;
}
