/** Master keys as callers name them. */
import type { ControlContext } from '../context.ts';

/** What a caller writes for the service key of the region. */
export const SERVICE_KEY_ALIAS = 'alias/acs/ecs';

/**
 * The service key's id for its alias, made at its first use; any other text is a key id for the KMS
 * thread to judge.
 */
export async function resolveKey(
  context: Pick<ControlContext, 'kms' | 'accountId' | 'regionId'>,
  keyIdOrAlias: string,
  regionId: string = context.regionId,
): Promise<string> {
  if (keyIdOrAlias !== SERVICE_KEY_ALIAS) return keyIdOrAlias;
  const { accountId } = context;
  return (await context.kms.call({ op: 'serviceKey', accountId, regionId })).keyId;
}
