/**
 * DATA: which requests to the KMS are made again when its thread is lost before it has answered.
 *
 * true: whether it was done or not makes no difference to doing it (again), nor to the answer. All
 * others are answered KmsUnavailable: they may have taken effect, and the caller has to look.
 */
import type { KmsOperation } from '../record/kms-message.ts';

export const IS_REPEATABLE: Readonly<Record<KmsOperation, boolean>> = {
  // Only read.
  describeKey: true,
  checkKeyUsable: true,
  listKeys: true,
  listKeyVersions: true,
  describeKeyVersion: true,
  listAliases: true,
  describeAccountStatus: true,
  searchForKey: true,
  // Made if it is not there, which it is the second time.
  serviceKey: true,
  resolveKey: true,
  tagForDisks: true,
  // What they make is in the answer alone; nobody has the one that was lost.
  generateDataKey: true,
  generateWrappedDataKey: true,
  encrypt: true,
  decrypt: true,
  reEncrypt: true,
  getImportParameters: true,
  // Make something else, or are refused, the second time.
  createKey: false,
  enableKey: false,
  disableKey: false,
  scheduleKeyDeletion: false,
  cancelKeyDeletion: false,
  setDeletionProtection: false,
  updateKeyDescription: false,
  setKeyPolicy: false,
  rotateKey: false,
  updateRotationPolicy: false,
  createAlias: false,
  updateAlias: false,
  deleteAlias: false,
  tagKeys: false,
  untagKeys: false,
  importKeyMaterial: false,
  deleteKeyMaterial: false,
  openKms: false,
  setAccountStatus: false,
};
