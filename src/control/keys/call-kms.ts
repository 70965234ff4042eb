/**
 * One request to the KMS thread on behalf of a call: in its account and its region, as a dry run if
 * it is one. The KMS checks in its own thread, so it is told of a dry run and refuses it there.
 */
import { PlaneError } from '../../base/errors.ts';
import type {
  KmsOperation,
  KmsRequest,
  KmsRequestOf,
  KmsResults,
} from '../../record/kms-message.ts';
import type { ControlContext } from '../context.ts';

type Said<O extends KmsOperation> = Omit<
  KmsRequestOf<O>,
  'op' | 'accountId' | 'regionId' | 'dryRun'
>;

/** @throws PlaneError what the KMS refuses with; DryRunOperationError */
export function callKms<O extends KmsOperation>(
  context: ControlContext,
  op: O,
  said: Said<O>,
): Promise<KmsResults[O]> {
  const { accountId, regionId } = context;
  const request = { ...said, op, accountId, regionId, dryRun: isDryRun(context) };
  // Its parts are those of the operation; that the whole is, the compiler cannot follow.
  return context.kms.call(request as unknown as KmsRequest) as Promise<KmsResults[O]>;
}

function isDryRun(context: ControlContext): boolean {
  try {
    context.passValidation();
    return false;
  } catch (error) {
    if (error instanceof PlaneError && error.code === 'DryRunOperation') return true;
    throw error;
  }
}
