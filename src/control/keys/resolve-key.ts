/** KMSKeyId of the ECS API: the id of the key it names. */
import { isKeyId } from '../../record/ids.ts';
import type { ControlContext } from '../context.ts';
import { toDiskError } from '../kms-errors.ts';

/**
 * @param keyIdOrAlias an id, which the KMS judges when the key is used; or an ARN, an alias, the ARN
 *   of an alias. The service key is made when its alias is first named.
 * @throws PlaneError InvalidParameter.KMSKeyId.NotFound
 */
export async function resolveKey(context: ControlContext, keyIdOrAlias: string): Promise<string> {
  if (isKeyId(keyIdOrAlias)) return keyIdOrAlias;
  const { accountId, regionId, kms } = context;
  try {
    const request = { op: 'resolveKey', accountId, regionId, keyId: keyIdOrAlias } as const;
    return (await kms.call(request)).keyId;
  } catch (error) {
    throw toDiskError(error);
  }
}
