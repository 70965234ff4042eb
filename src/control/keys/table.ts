/** The verbs of the KMS. */
import type { VerbRows } from '../verb-row.ts';
import * as aliases from './aliases.ts';
import * as material from './import-material.ts';
import * as crypto from './key-crypto.ts';
import * as life from './key-life.ts';
import * as policy from './key-policy.ts';
import { keyIdSchema } from './key-schemas.ts';
import * as tags from './key-tags.ts';
import * as versions from './key-versions.ts';
import * as account from './kms-account.ts';
import type { KeyVerbs } from './types.ts';

const write = { access: 'write', service: 'kms' } as const;
const read = { access: 'read', service: 'kms' } as const;

export const KEY_VERBS: VerbRows<KeyVerbs> = {
  CreateKey: { schema: life.createKeySchema, run: life.createKey, ...write },
  DescribeKey: { schema: keyIdSchema, run: life.describeKey, ...read },
  ListKeys: { schema: life.listKeysSchema, run: life.listKeys, ...read },
  EnableKey: { schema: keyIdSchema, run: life.enableKey, ...write },
  DisableKey: { schema: keyIdSchema, run: life.disableKey, ...write },
  ScheduleKeyDeletion: {
    schema: life.scheduleKeyDeletionSchema,
    run: life.scheduleKeyDeletion,
    ...write,
  },
  CancelKeyDeletion: { schema: keyIdSchema, run: life.cancelKeyDeletion, ...write },
  SetDeletionProtection: {
    schema: life.setDeletionProtectionSchema,
    run: life.setDeletionProtection,
    ...write,
  },
  UpdateKeyDescription: {
    schema: life.updateKeyDescriptionSchema,
    run: life.updateKeyDescription,
    ...write,
  },
  GetKeyPolicy: { schema: policy.getKeyPolicySchema, run: policy.getKeyPolicy, ...read },
  SetKeyPolicy: { schema: policy.setKeyPolicySchema, run: policy.setKeyPolicy, ...write },
  CreateKeyVersion: { schema: keyIdSchema, run: versions.createKeyVersion, ...write },
  ListKeyVersions: {
    schema: versions.listKeyVersionsSchema,
    run: versions.listKeyVersions,
    ...read,
  },
  DescribeKeyVersion: {
    schema: versions.describeKeyVersionSchema,
    run: versions.describeKeyVersion,
    ...read,
  },
  UpdateRotationPolicy: {
    schema: versions.updateRotationPolicySchema,
    run: versions.updateRotationPolicy,
    ...write,
  },
  CreateAlias: { schema: aliases.namedAliasSchema, run: aliases.createAlias, ...write },
  UpdateAlias: { schema: aliases.namedAliasSchema, run: aliases.updateAlias, ...write },
  DeleteAlias: { schema: aliases.deleteAliasSchema, run: aliases.deleteAlias, ...write },
  ListAliases: { schema: aliases.listAliasesSchema, run: aliases.listAliases, ...read },
  ListAliasesByKeyId: {
    schema: aliases.listAliasesByKeyIdSchema,
    run: aliases.listAliasesByKeyId,
    ...read,
  },
  TagResource: { schema: tags.tagResourceSchema, run: tags.tagResource, ...write },
  UntagResource: { schema: tags.untagResourceSchema, run: tags.untagResource, ...write },
  ListResourceTags: { schema: keyIdSchema, run: tags.listResourceTags, ...read },
  GetParametersForImport: {
    schema: material.getParametersForImportSchema,
    run: material.getParametersForImport,
    ...write,
  },
  ImportKeyMaterial: {
    schema: material.importKeyMaterialSchema,
    run: material.importKeyMaterial,
    ...write,
  },
  DeleteKeyMaterial: { schema: keyIdSchema, run: material.deleteKeyMaterial, ...write },
  GenerateDataKey: { schema: crypto.generateDataKeySchema, run: crypto.generateDataKey, ...read },
  GenerateDataKeyWithoutPlaintext: {
    schema: crypto.generateDataKeySchema,
    run: crypto.generateDataKeyWithoutPlaintext,
    ...read,
  },
  Encrypt: { schema: crypto.encryptSchema, run: crypto.encrypt, ...read },
  Decrypt: { schema: crypto.decryptSchema, run: crypto.decrypt, ...read },
  ReEncrypt: { schema: crypto.reEncryptSchema, run: crypto.reEncrypt, ...read },
  OpenKmsService: { schema: account.nothingSchema, run: account.openKms, ...write },
  DescribeAccountKmsStatus: {
    schema: account.nothingSchema,
    run: account.describeAccountKmsStatus,
    ...read,
  },
};
