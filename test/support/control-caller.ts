/** Calls over a test context, and refusals as codes. */

import { PlaneError } from '../../src/base/errors.ts';
import { callVerb } from '../../src/control/call.ts';
import type { CommonParameters, Verbs } from '../../src/control/verbs.ts';
import { type TestControl, testControl } from './control-context.ts';

export interface TestCaller {
  readonly control: TestControl;
  call<V extends keyof Verbs>(
    verb: V,
    parameters: Verbs[V]['parameters'] & CommonParameters,
  ): Promise<Verbs[V]['result']>;
  /** The code a call is refused with; parameters as a caller without types may write them. */
  refused(verb: keyof Verbs, parameters: object): Promise<string>;
}

export async function testCaller(): Promise<TestCaller> {
  const control = await testControl();
  const { context } = control;
  return {
    control,
    call: (verb, parameters) => callVerb(context, context.principal, verb, parameters),
    refused: (verb, parameters) =>
      callVerb(context, context.principal, verb, parameters as never).then(
        () => 'not refused',
        (error: unknown) => (error instanceof PlaneError ? error.code : String(error)),
      ),
  };
}

/** A public image, and an instance type. */
export const NEW_INSTANCE = {
  ImageId: 'debian_12_x64_20G_alibase_20250117.vhd',
  InstanceType: 'ecs.g7.large',
} as const;
