/** The one place that asks the encryption rules, and says why they answered as they did. */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { EncryptionRecord } from '../record/resource.ts';
import type { ControlContext } from './context.ts';
import {
  type EncryptionOutcome,
  type KeyParameter,
  matchEncryptionRules,
  type SourceKind,
} from './encryption-rules.ts';
import { resolveKey } from './keys/resolve-key.ts';

/** What a caller writes for the service key of the region. */
const SERVICE_KEY_ALIAS = 'alias/acs/ecs';

export interface EncryptionDecision {
  readonly outcome: EncryptionOutcome;
  /** The master key of a new data key; empty if there is none to make. */
  readonly keyId: string;
  readonly because: string;
}

/**
 * @param source what the disk is made from, null for an empty one
 * @throws PlaneError what the row refuses with, and why
 */
export async function decideEncryption(
  context: ControlContext,
  parameters: { readonly Encrypted?: boolean; readonly KMSKeyId?: string },
  source: { readonly encryption: EncryptionRecord | null } | null,
): Promise<EncryptionDecision> {
  const { Encrypted, KMSKeyId } = parameters;
  const requested = KMSKeyId === undefined ? '' : await resolveKey(context, KMSKeyId);
  const kind: SourceKind =
    source === null ? 'none' : source.encryption === null ? 'plain' : 'encrypted';
  const isSourceKey = requested !== '' && requested === source?.encryption?.keyId;
  const key: KeyParameter = requested === '' ? 'absent' : isSourceKey ? 'source' : 'other';
  const encrypted = Encrypted === undefined ? 'absent' : Encrypted ? 'true' : 'false';
  const [row, ...others] = matchEncryptionRules(kind, encrypted, key);
  invariant(row !== undefined && others.length === 0, 'one rule matches every combination');
  const { outcome, because } = row;
  if (outcome.kind === 'refuse') throw new PlaneError(outcome.code, because);
  if (outcome.kind === 'serviceKey') {
    return { outcome, keyId: await resolveKey(context, SERVICE_KEY_ALIAS), because };
  }
  return { outcome, keyId: outcome.kind === 'requestedKey' ? requested : '', because };
}
