/**
 * Waits that end.
 *
 * The time is waited in parts: where the whole process stood still (SIGSTOP, a suspended machine)
 * one part is over at once, and who is waited for has the others.
 */

const PARTS = 4;

/** @returns true: the promise has settled; false: the time was over first */
export async function settlesWithin(
  promise: Promise<unknown>,
  timeoutMs: number,
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    let parts = 0;
    timer = setInterval(() => {
      if (++parts === PARTS) resolve(false);
    }, timeoutMs / PARTS);
  });
  const settled = promise.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearInterval(timer);
  }
}
