/** KMSKeyId of the ECS API: the id of the key it names. */
import type { ControlContext } from '../context.ts';
import { toDiskError } from '../kms-errors.ts';

/** An alias, the ARN of a key, the ARN of an alias. */
const INDIRECT_NAME = /^(alias\/|acs:kms:)/;

/**
 * @param name an alias or an ARN; the service key is made when its alias is first named. Any other
 *   text is an id, for the KMS to judge when the key is used
 * @throws PlaneError InvalidParameter.KMSKeyId.NotFound, InvalidParameter.KmsNotEnabled
 */
export async function resolveKey(context: ControlContext, name: string): Promise<string> {
  if (!INDIRECT_NAME.test(name)) return name;
  const { accountId, regionId, kms } = context;
  try {
    return (await kms.call({ op: 'resolveKey', accountId, regionId, keyId: name })).keyId;
  } catch (error) {
    throw toDiskError(error);
  }
}
