/** The code a call is refused with. */
import { PlaneError } from 'sealdisk';

/** @returns the PlaneError's code, or a sentence that no code equals */
export async function codeOf(call: Promise<unknown> | (() => Promise<unknown>)): Promise<string> {
  try {
    await (typeof call === 'function' ? call() : call);
  } catch (error) {
    if (error instanceof PlaneError) return error.code;
    return `not a PlaneError: ${String(error)}`;
  }
  return 'it was not refused';
}
