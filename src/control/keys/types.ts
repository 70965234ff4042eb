/**
 * The verbs of the KMS: parameters and results, named as the cloud's API names them.
 *
 * KeyId is an id, an ARN, an alias or the ARN of an alias. Bytes are base64. What the cloud takes
 * as JSON in a string (EncryptionContext, Filters, Tags) is taken as the value it stands for.
 *
 * **Source:** KMS API 2016-01-20.
 */
import type { EncryptionContext } from '../../record/kms-key.ts';
import type { Page, PageResult } from '../paging.ts';

type Nothing = Record<string, never>;
type OneKey = { readonly KeyId: string };

/** Times are ISO 8601, UTC; strings are empty where there is nothing to say. */
export interface KeyMetadata {
  readonly KeyId: string;
  readonly Arn: string;
  /** Enabled, Disabled, PendingDeletion or PendingImport. */
  readonly KeyState: string;
  readonly KeySpec: string;
  readonly KeyUsage: string;
  /** Aliyun_KMS or EXTERNAL. */
  readonly Origin: string;
  /** SOFTWARE or HSM. */
  readonly ProtectionLevel: string;
  /** The account, or Ecs: the service key. */
  readonly Creator: string;
  readonly Description: string;
  readonly CreationDate: string;
  /** Empty unless KeyState is PendingDeletion. */
  readonly DeleteDate: string;
  readonly MaterialExpireTime: string;
  readonly PrimaryKeyVersion: string;
  readonly LastRotationDate: string;
  /** Enabled, Disabled, or Suspended while the key is not Enabled. */
  readonly AutomaticRotation: string;
  /** As in 31536000s. */
  readonly RotationInterval: string;
  readonly NextRotationDate: string;
  /** Enabled or Disabled. */
  readonly DeletionProtection: string;
  readonly DeletionProtectionDescription: string;
}

export interface KeyVersion {
  readonly KeyId: string;
  /** Versions count from 1. */
  readonly KeyVersionId: string;
  readonly CreationDate: string;
}

export interface KeyAlias {
  readonly KeyId: string;
  readonly AliasName: string;
  readonly AliasArn: string;
}

interface TagOfKey {
  readonly TagKey: string;
  readonly TagValue: string;
}

/** What encrypted, and what it made. */
interface Encrypted {
  readonly CiphertextBlob: string;
  readonly KeyId: string;
  readonly KeyVersionId: string;
}

interface DataKeyParameters {
  readonly KeyId: string;
  /** @default AES_256 */
  readonly KeySpec?: 'AES_256' | 'AES_128';
  /** 1 to 1024; overrides KeySpec. */
  readonly NumberOfBytes?: number;
  readonly EncryptionContext?: EncryptionContext;
}

interface KeyLifeVerbs {
  CreateKey: {
    parameters: {
      readonly Description?: string;
      /**
       * Of RSA_2048, RSA_3072, EC_P256 and EC_P256K there is the record: every use is refused.
       *
       * @default Aliyun_AES_256
       */
      readonly KeySpec?: string;
      /** @default ENCRYPT/DECRYPT */
      readonly KeyUsage?: string;
      /** @default Aliyun_KMS */
      readonly Origin?: 'Aliyun_KMS' | 'EXTERNAL';
      /** @default SOFTWARE */
      readonly ProtectionLevel?: 'SOFTWARE' | 'HSM';
      readonly EnableAutomaticRotation?: boolean;
      /** As in 365d or 31536000s. */
      readonly RotationInterval?: string;
      /** As SetKeyPolicy takes it. @default the account may do everything */
      readonly Policy?: string;
      readonly Tags?: readonly TagOfKey[];
    };
    result: { readonly KeyMetadata: KeyMetadata };
  };
  DescribeKey: { parameters: OneKey; result: { readonly KeyMetadata: KeyMetadata } };
  ListKeys: {
    parameters: Page & {
      /** All of them hold; each for one of its values. */
      readonly Filters?: readonly { readonly Key: string; readonly Values: readonly string[] }[];
    };
    result: PageResult & {
      readonly Keys: readonly { readonly KeyId: string; readonly KeyArn: string }[];
    };
  };
  EnableKey: { parameters: OneKey; result: Nothing };
  DisableKey: { parameters: OneKey; result: Nothing };
  ScheduleKeyDeletion: {
    /** 7 to 366. */
    parameters: OneKey & { readonly PendingWindowInDays: number };
    result: Nothing;
  };
  CancelKeyDeletion: { parameters: OneKey; result: Nothing };
  SetDeletionProtection: {
    /** One of ProtectedResourceArn and KeyId. */
    parameters: {
      readonly EnableDeletionProtection: boolean;
      readonly ProtectedResourceArn?: string;
      readonly KeyId?: string;
      readonly DeletionProtectionDescription?: string;
    };
    result: Nothing;
  };
  /** The policy is kept, and decides nothing. */
  GetKeyPolicy: {
    parameters: OneKey & { readonly PolicyName?: string };
    result: { readonly Policy: string };
  };
  SetKeyPolicy: {
    parameters: OneKey & { readonly PolicyName?: string; readonly Policy: string };
    result: Nothing;
  };
  UpdateKeyDescription: {
    parameters: OneKey & { readonly Description: string };
    result: Nothing;
  };
}

interface KeyVersionVerbs {
  /**
   * Rotates: new data keys are wrapped under a new version; old versions unwrap for ever. (The
   * cloud has this for asymmetric keys only, seven days apart.)
   */
  CreateKeyVersion: { parameters: OneKey; result: { readonly KeyVersion: KeyVersion } };
  ListKeyVersions: {
    parameters: OneKey & Page;
    result: PageResult & { readonly KeyVersions: readonly KeyVersion[] };
  };
  DescribeKeyVersion: {
    parameters: OneKey & { readonly KeyVersionId: string };
    result: { readonly KeyVersion: KeyVersion };
  };
  UpdateRotationPolicy: {
    parameters: OneKey & {
      readonly EnableAutomaticRotation: boolean;
      /** As in 365d or 31536000s; needed to enable. */
      readonly RotationInterval?: string;
    };
    result: Nothing;
  };
}

interface AliasVerbs {
  CreateAlias: { parameters: OneKey & { readonly AliasName: string }; result: Nothing };
  UpdateAlias: { parameters: OneKey & { readonly AliasName: string }; result: Nothing };
  DeleteAlias: { parameters: { readonly AliasName: string }; result: Nothing };
  ListAliases: { parameters: Page; result: PageResult & { readonly Aliases: readonly KeyAlias[] } };
  ListAliasesByKeyId: {
    parameters: OneKey & Page;
    result: PageResult & { readonly Aliases: readonly KeyAlias[] };
  };
}

interface KeyTagVerbs {
  TagResource: { parameters: OneKey & { readonly Tags: readonly TagOfKey[] }; result: Nothing };
  UntagResource: { parameters: OneKey & { readonly TagKeys: readonly string[] }; result: Nothing };
  ListResourceTags: {
    parameters: OneKey;
    result: { readonly Tags: readonly (TagOfKey & { readonly KeyId: string })[] };
  };
}

/** Verbs both APIs have, as they are for keys: access/table.ts puts the two together. */
export interface ManyKeyTagVerbs {
  /** All keys or none. */
  TagResources: {
    parameters: {
      readonly ResourceType: 'key';
      readonly ResourceId: readonly string[];
      readonly Tag: readonly { readonly Key: string; readonly Value: string }[];
    };
    result: Nothing;
  };
  UntagResources: {
    parameters: {
      readonly ResourceType: 'key';
      readonly ResourceId: readonly string[];
      readonly TagKey?: readonly string[];
      /** Without TagKey: removes all a user may remove. */
      readonly All?: boolean;
    };
    result: Nothing;
  };
  ListTagResources: {
    parameters: {
      readonly ResourceType: 'key';
      readonly ResourceId?: readonly string[];
      /** Keys that have all of them. */
      readonly Tag?: readonly { readonly Key: string; readonly Value?: string }[];
      readonly NextToken?: string;
    };
    result: {
      readonly TagResources: readonly (TagOfKey & {
        readonly ResourceId: string;
        readonly ResourceType: 'key';
      })[];
      /** Empty on the last page. */
      readonly NextToken: string;
    };
  };
}

interface ImportVerbs {
  GetParametersForImport: {
    parameters: OneKey & {
      readonly WrappingAlgorithm: 'RSAES_OAEP_SHA_256' | 'RSAES_OAEP_SHA_1' | 'RSAES_PKCS1_V1_5';
      readonly WrappingKeySpec: 'RSA_2048';
    };
    result: {
      readonly KeyId: string;
      readonly ImportToken: string;
      /** SubjectPublicKeyInfo, DER, base64. */
      readonly PublicKey: string;
      readonly TokenExpireTime: string;
    };
  };
  ImportKeyMaterial: {
    parameters: OneKey & {
      readonly EncryptedKeyMaterial: string;
      readonly ImportToken: string;
      /** Seconds since 1970; 0: never. */
      readonly KeyMaterialExpireUnix: number;
    };
    result: Nothing;
  };
  DeleteKeyMaterial: { parameters: OneKey; result: Nothing };
}

interface CryptoVerbs {
  GenerateDataKey: {
    parameters: DataKeyParameters;
    result: Encrypted & { readonly Plaintext: string };
  };
  GenerateDataKeyWithoutPlaintext: { parameters: DataKeyParameters; result: Encrypted };
  Encrypt: {
    /** At most 6 KB. */
    parameters: OneKey & {
      readonly Plaintext: string;
      readonly EncryptionContext?: EncryptionContext;
    };
    result: Encrypted;
  };
  Decrypt: {
    parameters: {
      readonly CiphertextBlob: string;
      readonly EncryptionContext?: EncryptionContext;
    };
    result: { readonly Plaintext: string; readonly KeyId: string; readonly KeyVersionId: string };
  };
  ReEncrypt: {
    parameters: {
      readonly CiphertextBlob: string;
      readonly DestinationKeyId: string;
      readonly SourceEncryptionContext?: EncryptionContext;
      readonly DestinationEncryptionContext?: EncryptionContext;
      readonly SourceKeyId?: string;
      readonly SourceKeyVersionId?: string;
    };
    result: Encrypted;
  };
}

interface KmsAccountVerbs {
  OpenKmsService: { parameters: Nothing; result: Nothing };
  DescribeAccountKmsStatus: {
    parameters: Nothing;
    /** Enabled, NotEnabled, Index (overdue) or Suspended. */
    result: { readonly AccountStatus: string };
  };
}

export interface KeyVerbs
  extends KeyLifeVerbs,
    KeyVersionVerbs,
    AliasVerbs,
    KeyTagVerbs,
    ImportVerbs,
    CryptoVerbs,
    KmsAccountVerbs {}
