/**
 * Asks the encryption rules for a new disk, snapshot or image, and has its data key made.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { scopeGroup } from '../../meta/documents.ts';
import type { EncryptionRecord } from '../../record/resource.ts';
import type { ControlContext } from '../context.ts';
import { toDiskError } from '../kms-errors.ts';
import type { DiskCategory } from './categories.ts';
import type { Action, Resource, Source } from './cells.ts';
import { type Decision, decideEncryption, grantedOutcome } from './decide.ts';

const SERVICE_KEY_ALIAS = 'alias/acs/ecs';

export interface EncryptionRequest {
  readonly resource: Resource;
  readonly action: Action;
  readonly source: {
    readonly encryption: EncryptionRecord | null;
    readonly accountId: string;
  } | null;
  readonly isShared: boolean;
  readonly newId: string;
  /** The destination. */
  readonly regionId: string;
  readonly Encrypted?: boolean | undefined;
  readonly KMSKeyId?: string | undefined;
  readonly category?: DiskCategory;
  readonly isSystemDisk?: boolean;
}

export interface ChosenEncryption {
  readonly encryption: EncryptionRecord | null;
  readonly keepsSource: boolean;
  readonly decision: Decision;
}

export async function chooseEncryption(
  context: ControlContext,
  request: EncryptionRequest,
): Promise<ChosenEncryption> {
  const { accountId } = context;
  const { regionId, source, newId, Encrypted, KMSKeyId } = request;
  const setting = context.metadata.getDocument('region', scopeGroup(accountId, regionId));
  const serviceKey = async (): Promise<string> =>
    (await context.kms.call({ op: 'serviceKey', accountId, regionId })).keyId;
  const requested = KMSKeyId === SERVICE_KEY_ALIAS ? await serviceKey() : (KMSKeyId ?? null);
  const kind: Source =
    source === null
      ? 'empty'
      : `${request.isShared ? 'shared-' : ''}${source.encryption === null ? 'plain' : 'encrypted'}`;
  const decision = decideEncryption({
    ruleSet: context.ruleSet,
    resource: request.resource,
    action: request.action,
    source: kind,
    encrypted: Encrypted === undefined ? 'absent' : Encrypted ? 'true' : 'false',
    default: setting?.isDefaultEncryptionOn ?? false,
    key: requested !== null,
    isSourceKey: requested !== null && requested === source?.encryption?.keyId,
  });
  const outcome = grantedOutcome(decision, newId);
  if (outcome === 'none') return { encryption: null, keepsSource: true, decision };
  if (outcome === 'source') {
    return { encryption: source?.encryption ?? null, keepsSource: true, decision };
  }
  const keyId =
    outcome === 'specified'
      ? (requested as string)
      : ((outcome === 'default' ? setting?.defaultKeyId : null) ?? (await serviceKey()));
  const wrapContext = { accountId, regionId, lineageId: newId };
  try {
    const key = await context.kms.call({ op: 'describeKey', keyId });
    if (key.accountId !== accountId || key.regionId !== regionId) {
      throw new PlaneError('InvalidParameter.KMSKeyId.NotFound', `no key ${keyId} in ${regionId}`);
    }
    const call = { op: 'generateWrappedDataKey', keyId, context: wrapContext } as const;
    const wrappedKey = await context.kms.call(call);
    return { encryption: { keyId, wrappedKey, ...wrapContext }, keepsSource: false, decision };
  } catch (error) {
    throw toDiskError(error);
  }
}
