/**
 * The master key something is encrypted under, as verbs need to know it.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import type { KeyDescription } from '../../record/kms-key.ts';
import type { EncryptionRecord } from '../../record/resource.ts';
import type { PlaneContext } from '../context.ts';
import { toDiskError } from '../kms-errors.ts';

/**
 * @returns null for what is stored in plain
 * @throws PlaneError InvalidParameter.KMSKeyId.NotFound
 */
export async function masterKeyOf(
  context: PlaneContext,
  encryption: EncryptionRecord | null,
): Promise<KeyDescription | null> {
  if (encryption === null) return null;
  const { keyId, accountId, regionId } = encryption;
  try {
    return await context.kms.call({ op: 'describeKey', keyId, accountId, regionId });
  } catch (error) {
    throw toDiskError(error);
  }
}

/**
 * For verbs that need the data keys of what they are about.
 *
 * @throws PlaneError InvalidParameter.KMSKeyId.NotFound, InvalidParameter.KMSKeyId.CMKNotEnabled
 */
export async function checkKeyEnabled(
  context: PlaneContext,
  encryption: EncryptionRecord | null,
): Promise<KeyDescription | null> {
  const key = await masterKeyOf(context, encryption);
  if (key === null || key.state === 'Enabled') return key;
  throw new PlaneError(
    'InvalidParameter.KMSKeyId.CMKNotEnabled',
    `the master key ${key.keyId} is ${key.state}: it needs to be enabled`,
  );
}
