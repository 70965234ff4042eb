/**
 * The decision put into effect: the question is made of a call and of what is stored, the tables
 * answer (decide.ts), and a data key is made under the master key they name.
 *
 * 1. Nothing is changed before makeEncryption(): until then a call can be refused, or be a dry run.
 * 2. What is made of a source keeps its data key if the master key the tables name is the source's.
 *    Under any other key, and as a Copy and Encrypt, it gets a data key of its own, and what the
 *    source holds is re-encrypted.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { invariant, unreachable } from '../../base/invariant.ts';
import { scopeGroup } from '../../meta/documents.ts';
import type { EncryptionRecord } from '../../record/resource.ts';
import { findRegion } from '../access/regions.ts';
import { requireDiskRole } from '../access/roles.ts';
import type { ControlContext } from '../context.ts';
import { resolveKey } from '../keys/resolve-key.ts';
import { toDiskError } from '../kms-errors.ts';
import type { DiskCategory } from './categories.ts';
import type { Action, Resource, Source } from './cells.ts';
import { requireUsableKey } from './check-key.ts';
import { type Decision, decideEncryption, grantedOutcome } from './decide.ts';

/** What a caller writes for the service key of the region. */
const SERVICE_KEY_ALIAS = 'alias/acs/ecs';

export interface EncryptionRequest {
  readonly resource: Resource;
  readonly action: Action;
  /** What it is made of; null: of nothing. */
  readonly source: { readonly encryption: EncryptionRecord | null } | null;
  /** The source is another account's. */
  readonly isShared: boolean;
  /** The id of what is made: its data key is bound to it. */
  readonly newId: string;
  /** Where it is made. */
  readonly regionId: string;
  readonly Encrypted?: boolean | undefined;
  readonly KMSKeyId?: string | undefined;
  /** Of a disk. */
  readonly category?: DiskCategory | undefined;
  readonly isSystemDisk?: boolean | undefined;
}

/** What was decided, before anything is made. */
export interface PreparedEncryption {
  readonly request: EncryptionRequest;
  readonly decision: Decision;
  /** The content and the data key are the source's: nothing is re-encrypted. */
  readonly keepsSource: boolean;
  /** The master key of a new data key; null: there is none to make. */
  readonly newKey: string | null;
}

export interface ChosenEncryption {
  readonly encryption: EncryptionRecord | null;
  readonly keepsSource: boolean;
  readonly decision: Decision;
}

/**
 * Decides, checks the keys, and makes the data key if one is needed.
 *
 * @throws PlaneError what the tables refuse with, the CMK codes
 */
export async function chooseEncryption(
  context: ControlContext,
  request: EncryptionRequest,
): Promise<ChosenEncryption> {
  const prepared = await prepareEncryption(context, request);
  const encryption = await makeEncryption(context, prepared);
  return { encryption, keepsSource: prepared.keepsSource, decision: prepared.decision };
}

/**
 * Decides, and checks that every key it takes may be used. Changes nothing.
 *
 * @throws PlaneError what the tables refuse with, the CMK codes
 */
export async function prepareEncryption(
  context: ControlContext,
  request: EncryptionRequest,
): Promise<PreparedEncryption> {
  const { source, KMSKeyId, Encrypted, regionId, resource } = request;
  const region = context.metadata.getDocument('region', scopeGroup(context.accountId, regionId));
  const specified = KMSKeyId === undefined ? null : await specifiedKey(context, KMSKeyId, regionId);
  const { category } = request;
  const decision = decideEncryption({
    ruleSet: context.ruleSet,
    resource: request.resource,
    action: request.action,
    source: sourceKind(request),
    encrypted: Encrypted === undefined ? 'absent' : Encrypted ? 'true' : 'false',
    default: region?.isDefaultEncryptionOn === true,
    key: specified !== null,
    isSourceKey: await isSourceKey(context, request, specified),
    ...(category === undefined
      ? {}
      : { disk: { category, use: request.isSystemDisk === true ? 'system' : 'data' } }),
  });
  const outcome = grantedOutcome(decision, `a new ${resource}`);
  let newKey: string | null;
  switch (outcome) {
    case 'none':
    case 'source':
      newKey = null;
      break;
    case 'specified':
      invariant(specified !== null, 'a specified key is given');
      newKey = specified;
      break;
    case 'default':
      newKey = region?.defaultKeyId ?? SERVICE_KEY_ALIAS;
      break;
    case 'service':
      newKey = SERVICE_KEY_ALIAS;
      break;
    default:
      unreachable(outcome);
  }
  if (outcome !== 'none')
    checkRegion(outcome === 'specified' ? specified : region?.defaultKeyId, regionId);
  await requireUsableKey(context, source?.encryption ?? null);
  return finish(context, request, decision, newKey);
}

/** Puts the source's key in place of a new one under the same master key. */
async function finish(
  context: ControlContext,
  request: EncryptionRequest,
  decision: Decision,
  newKey: string | null,
): Promise<PreparedEncryption> {
  const { source, regionId } = request;
  const isCopy = request.action !== 'create';
  if (newKey === null || (!isCopy && (await isSourceKey(context, request, newKey)))) {
    return { request, decision, keepsSource: source !== null, newKey: null };
  }
  requireDiskRole(context);
  if (newKey !== SERVICE_KEY_ALIAS) await requireKey(context, newKey, regionId);
  return { request, decision, keepsSource: false, newKey };
}

/** Whether the key named is the one the source is encrypted under. */
async function isSourceKey(
  context: ControlContext,
  { source, regionId }: EncryptionRequest,
  newKey: string | null,
): Promise<boolean> {
  const sourceKey = source?.encryption;
  if (newKey === null || sourceKey == null) return false;
  if (newKey !== SERVICE_KEY_ALIAS) return newKey === sourceKey.keyId;
  const { accountId } = context;
  if (sourceKey.accountId !== accountId || sourceKey.regionId !== regionId) return false;
  return (await resolveKey({ ...context, regionId }, SERVICE_KEY_ALIAS)) === sourceKey.keyId;
}

/**
 * Makes the data key that was decided on, wrapped; main never sees it in plain.
 *
 * @throws PlaneError the CMK codes
 */
export async function makeEncryption(
  context: ControlContext,
  { request, keepsSource, newKey }: PreparedEncryption,
): Promise<EncryptionRecord | null> {
  if (newKey === null) return keepsSource ? (request.source?.encryption ?? null) : null;
  const { accountId } = context;
  const { regionId, newId } = request;
  const wrapContext = { accountId, regionId, lineageId: newId };
  try {
    const keyId = await resolveKey({ ...context, regionId }, newKey);
    const call = { op: 'generateWrappedDataKey', keyId, context: wrapContext } as const;
    const wrappedKey = await context.kms.call(call);
    return { keyId, wrappedKey, ...wrapContext };
  } catch (error) {
    throw toDiskError(error);
  }
}

function sourceKind({ source, isShared }: EncryptionRequest): Source {
  if (source === null) return 'empty';
  if (source.encryption === null) return isShared ? 'shared-plain' : 'plain';
  return isShared ? 'shared-encrypted' : 'encrypted';
}

/** The id of the key a caller names; the service key is made when it is used, not when named. */
async function specifiedKey(
  context: ControlContext,
  name: string,
  regionId: string,
): Promise<string> {
  return name === SERVICE_KEY_ALIAS ? name : resolveKey({ ...context, regionId }, name);
}

/** Not every region encrypts, or lets its customers choose a key. */
function checkRegion(keyId: string | null | undefined, regionId: string): void {
  const { encryption, because } = findRegion(regionId);
  const isChosen = keyId != null && keyId !== SERVICE_KEY_ALIAS;
  const isRefused = encryption === 'none' || (encryption === 'serviceKeyOnly' && isChosen);
  if (isRefused) throw new PlaneError('InvalidRegion.NotSupport', `${regionId}: ${because}`);
}

async function requireKey(context: ControlContext, keyId: string, regionId: string): Promise<void> {
  const scope = { accountId: context.accountId, regionId };
  const wrapContext = { ...scope, wrappedKey: new Uint8Array(0), lineageId: '' };
  await requireUsableKey(context, { keyId, ...wrapContext });
}
