/**
 * Broken invariants end the thread; they are never caught and never replied with.
 *
 * Operating errors (bad input, a full disk, a damaged sector) are PlaneError, see errors.ts.
 */

/** Thrown only by invariant() and unreachable(): a bug in sealdisk, not in its input. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * States what must hold here. On in production.
 *
 * @param condition what must hold
 * @param message what is broken if it does not; never contains key bytes or user data
 * @throws InvariantError
 */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(`invariant broken: ${message}`);
}

/** Ends a switch over a union: reached only if a case was forgotten. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable case: ${String(value)}`);
}
