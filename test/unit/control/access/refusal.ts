/** The code a call is refused with, by the source itself (test/support has it for the package). */
import { PlaneError } from '../../../../src/base/errors.ts';

export async function refusal(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return error instanceof PlaneError ? error.code : `not a PlaneError: ${String(error)}`;
  }
  return 'not refused';
}
