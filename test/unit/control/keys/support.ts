/** A control plane with a clock in the test's hand, and its verbs called by name. */
import { callVerb } from '../../../../src/control/call.ts';
import type { CommonParameters, Verbs } from '../../../../src/control/verbs.ts';
import { testControl } from '../../../support/control-context.ts';

export const ACCOUNT = '1000000000000001';
export const NOW = Date.UTC(2026, 0, 31, 12);
export const DAY_MS = 86_400_000;
export const ABSENT = 'key-aaaaaaaaaaaaaaaaaaaa';

export async function plane() {
  let now = NOW;
  const clock = { now: () => now, monotonic: () => now };
  const { context } = await testControl(clock);
  const call = <V extends keyof Verbs>(
    verb: V,
    parameters: Verbs[V]['parameters'] & CommonParameters,
    principal = context.principal,
  ) => callVerb(context, principal, verb, parameters);
  const refusal = (verb: string, parameters: unknown): Promise<string> =>
    callVerb(context, context.principal, verb as keyof Verbs, parameters as never).then(
      () => 'done',
      (error: unknown) => (error as { code?: string }).code ?? String(error),
    );
  const makeKey = async (): Promise<string> => (await call('CreateKey', {})).KeyMetadata.KeyId;
  const advance = (ms: number): void => {
    now += ms;
  };
  return { context, call, refusal, makeKey, advance };
}
