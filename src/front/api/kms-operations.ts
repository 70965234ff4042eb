/**
 * DATA: the operations of KMS.
 *
 * **Source:** KMS API 2016-01-20.
 */
import { wrapped } from './answer-shape.ts';
import { page } from './ecs-disks.ts';
import { REGION_OPERATIONS, TAG_OPERATIONS } from './ecs-images.ts';
import { type Operations, operation, operations } from './operation.ts';
import { flag, json, map, number, text, word } from './parameter-kinds.ts';

const oneKey = { KeyId: word };
const dataKey = { ...oneKey, EncryptionContext: map, KeySpec: word, NumberOfBytes: number };
const aliases = { gives: { Aliases: wrapped('Alias') } };

const KEY_OPERATIONS = operations([
  operation('CreateKey', {
    Description: text,
    EnableAutomaticRotation: flag,
    KeySpec: word,
    KeyUsage: word,
    Origin: word,
    Policy: word,
    ProtectionLevel: word,
    RotationInterval: word,
    Tags: json,
  }),
  operation('DescribeKey', oneKey),
  operation('ListKeys', { ...page, Filters: json }, { gives: { Keys: wrapped('Key') } }),
  operation('EnableKey', oneKey),
  operation('DisableKey', oneKey),
  operation('ScheduleKeyDeletion', { ...oneKey, PendingWindowInDays: number }),
  operation('CancelKeyDeletion', oneKey),
  operation('SetDeletionProtection', {
    ...oneKey,
    DeletionProtectionDescription: text,
    EnableDeletionProtection: flag,
    ProtectedResourceArn: word,
  }),
  operation('UpdateKeyDescription', { ...oneKey, Description: text }),
  operation('GetKeyPolicy', { ...oneKey, PolicyName: word }),
  operation('SetKeyPolicy', { ...oneKey, Policy: text, PolicyName: word }),
  operation('CreateKeyVersion', oneKey),
  operation(
    'ListKeyVersions',
    { ...oneKey, ...page },
    { gives: { KeyVersions: wrapped('KeyVersion') } },
  ),
  operation('DescribeKeyVersion', { ...oneKey, KeyVersionId: word }),
  operation('UpdateRotationPolicy', {
    ...oneKey,
    EnableAutomaticRotation: flag,
    RotationInterval: word,
  }),
  operation('CreateAlias', { ...oneKey, AliasName: word }),
  operation('UpdateAlias', { ...oneKey, AliasName: word }),
  operation('DeleteAlias', { AliasName: word }),
  operation('ListAliases', page, aliases),
  operation('ListAliasesByKeyId', { ...oneKey, ...page }, aliases),
  operation('TagResource', { ...oneKey, Tags: json }),
  operation('UntagResource', { ...oneKey, TagKeys: json }),
  operation('ListResourceTags', oneKey, { gives: { Tags: wrapped('Tag') } }),
  operation('GetParametersForImport', {
    ...oneKey,
    WrappingAlgorithm: word,
    WrappingKeySpec: word,
  }),
  operation('ImportKeyMaterial', {
    ...oneKey,
    EncryptedKeyMaterial: word,
    ImportToken: word,
    KeyMaterialExpireUnix: number,
  }),
  operation('DeleteKeyMaterial', oneKey),
  operation('GenerateDataKey', dataKey),
  operation('GenerateDataKeyWithoutPlaintext', dataKey),
  operation('Encrypt', { ...oneKey, EncryptionContext: map, Plaintext: word }),
  operation('Decrypt', { CiphertextBlob: word, EncryptionContext: map }),
  operation('ReEncrypt', {
    CiphertextBlob: word,
    DestinationEncryptionContext: map,
    DestinationKeyId: word,
    SourceEncryptionContext: map,
    SourceKeyId: word,
    SourceKeyVersionId: word,
  }),
  operation('OpenKmsService', {}),
  operation('DescribeAccountKmsStatus', {}),
]);

/** Both APIs have these. */
const { DescribeRegions } = REGION_OPERATIONS;

export const KMS_OPERATIONS: Operations = {
  ...KEY_OPERATIONS,
  ...TAG_OPERATIONS,
  ...(DescribeRegions === undefined ? {} : { DescribeRegions }),
};
