/** A copy in random order. */
import type { Prng } from '../../src/base/prng.ts';

export function shuffle<T>(items: readonly T[], prng: Prng): T[] {
  const shuffled = [...items];
  for (let at = shuffled.length - 1; at > 0; at--) {
    const other = prng.nextBelow(at + 1);
    [shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!];
  }
  return shuffled;
}
