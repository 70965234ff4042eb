/**
 * Whether the master keys behind a resource may be used now: asked before a verb that will use its
 * content, so that it is refused whole and not half done.
 *
 * **Thread:** main.
 */
import type { EncryptionRecord, LayerRecord } from '../../record/resource.ts';
import { requireDiskRole } from '../access/roles.ts';
import type { ControlContext } from '../context.ts';
import { toDiskError } from '../kms-errors.ts';

type KeyContext = Pick<ControlContext, 'kms' | 'metadata' | 'accountId'>;

/** @throws PlaneError the CMK codes, in the verb's spelling */
export async function requireUsableKey(
  context: KeyContext,
  encryption: EncryptionRecord | null,
  verb?: string,
): Promise<void> {
  if (encryption === null) return;
  requireDiskRole(context);
  const { keyId, accountId, regionId } = encryption;
  try {
    await context.kms.call({ op: 'checkKeyUsable', keyId, accountId, regionId });
  } catch (error) {
    throw toDiskError(error, verb);
  }
}

/**
 * The keys of every layer: all of them are needed to read the content.
 *
 * @throws PlaneError the CMK codes, in the verb's spelling
 */
export async function requireUsableLayers(
  context: KeyContext,
  layers: readonly LayerRecord[],
  verb?: string,
): Promise<void> {
  const byKey = new Map(layers.map(({ encryption }) => [encryption?.keyId ?? '', encryption]));
  for (const encryption of byKey.values()) await requireUsableKey(context, encryption, verb);
}
