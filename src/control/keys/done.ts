/** For operations of the KMS that answer nothing but that they are done. */
import type { KeyDescription } from '../../record/kms-key.ts';

export async function done(changed: Promise<KeyDescription>): Promise<Record<string, never>> {
  await changed;
  return {};
}
