/**
 * DATA: every request main may make, by which rate it is counted, whether KMS must be activated for
 * it, and what does it. **Thread:** KMS.
 *
 * **Source:** KMS, quotas (classes of requests). Internal requests, which disks and not users make,
 * have no rate.
 */
import type { KmsOperation, KmsRequestOf, KmsResults } from '../record/kms-message.ts';
import { describeAccountStatus, openKms, setAccountStatus } from './accounts.ts';
import { createAlias, deleteAlias, listAliases, updateAlias } from './aliases.ts';
import { decrypt, encrypt, generateDataKey, reEncrypt } from './api-crypto.ts';
import { generateWrappedDataKey, searchForDiskKey } from './disk-keys.ts';
import { deleteKeyMaterial, getImportParameters, importKeyMaterial } from './import-material.ts';
import {
  cancelKeyDeletion,
  checkKeyUsable,
  createKey,
  describeKey,
  disableKey,
  enableKey,
  listKeys,
  resolveKey,
  scheduleKeyDeletion,
  serviceKey,
  setDeletionProtection,
  setKeyPolicy,
  updateKeyDescription,
} from './key-life.ts';
import { tagForDisks, tagKeys, untagKeys } from './key-tags.ts';
import {
  describeKeyVersion,
  listKeyVersions,
  rotateKey,
  updateRotationPolicy,
} from './key-versions.ts';
import type { RateClass } from './request-rates.ts';
import type { Vault } from './vault.ts';

interface Operation<O extends KmsOperation> {
  /** null: not counted. */
  readonly rate: RateClass | null;
  /** Refused as Forbidden.KmsServiceNotEnabled where KMS is not activated. */
  readonly needsActivation: boolean;
  readonly run: (vault: Vault, request: KmsRequestOf<O>) => KmsResults[O] | Promise<KmsResults[O]>;
}

type Run<O extends KmsOperation> = Operation<O>['run'];

function counted<O extends KmsOperation>(rate: RateClass, run: Run<O>): Operation<O> {
  return { rate, needsActivation: true, run };
}

function internal<O extends KmsOperation>(run: Run<O>): Operation<O> {
  return { rate: null, needsActivation: true, run };
}

export const OPERATIONS: { readonly [O in KmsOperation]: Operation<O> } = {
  createKey: counted('create', createKey),
  serviceKey: internal(serviceKey),
  describeKey: counted('read', describeKey),
  resolveKey: internal(resolveKey),
  checkKeyUsable: internal(checkKeyUsable),
  listKeys: counted('read', listKeys),
  enableKey: counted('write', enableKey),
  disableKey: counted('write', disableKey),
  scheduleKeyDeletion: counted('write', scheduleKeyDeletion),
  cancelKeyDeletion: counted('write', cancelKeyDeletion),
  setDeletionProtection: counted('write', setDeletionProtection),
  updateKeyDescription: counted('write', updateKeyDescription),
  setKeyPolicy: counted('write', setKeyPolicy),
  rotateKey: counted('write', rotateKey),
  updateRotationPolicy: counted('write', updateRotationPolicy),
  listKeyVersions: counted('read', listKeyVersions),
  describeKeyVersion: counted('read', describeKeyVersion),
  createAlias: counted('write', createAlias),
  updateAlias: counted('write', updateAlias),
  deleteAlias: counted('write', deleteAlias),
  listAliases: counted('read', listAliases),
  tagKeys: counted('write', tagKeys),
  untagKeys: counted('write', untagKeys),
  tagForDisks: internal(tagForDisks),
  getImportParameters: counted('read', getImportParameters),
  importKeyMaterial: counted('write', importKeyMaterial),
  deleteKeyMaterial: counted('write', deleteKeyMaterial),
  generateDataKey: counted('crypto', generateDataKey),
  encrypt: counted('crypto', encrypt),
  decrypt: counted('crypto', decrypt),
  reEncrypt: counted('crypto', reEncrypt),
  openKms: { rate: 'write', needsActivation: false, run: openKms },
  describeAccountStatus: { rate: 'read', needsActivation: false, run: describeAccountStatus },
  setAccountStatus: { rate: null, needsActivation: false, run: setAccountStatus },
  generateWrappedDataKey: internal(generateWrappedDataKey),
  searchForKey: internal(searchForDiskKey),
};
