/** Promises that cannot be awaited, because simulated time has to pass until they settle. */

export interface Tracked {
  isSettled: boolean;
  /** null: there was none. */
  error: unknown;
}

/** Whether a promise is settled, and how. */
export function track(promise: Promise<unknown>): Tracked {
  const tracked: Tracked = { isSettled: false, error: null };
  promise.then(
    () => {
      tracked.isSettled = true;
    },
    (error: unknown) => {
      tracked.isSettled = true;
      tracked.error = error ?? 'nothing was thrown';
    },
  );
  return tracked;
}
