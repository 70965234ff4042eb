/** The verbs on regions, tags and account-level default encryption. */
import type { ManyKeyTagVerbs } from '../keys/types.ts';

type Nothing = Record<string, never>;
/** None of its own: what every verb takes is added to it. */
type NoParameters = Record<never, never>;

export interface RegionDescription {
  readonly RegionId: string;
  readonly LocalName: string;
  readonly RegionEndpoint: string;
  readonly Status: 'available';
}

export interface ZoneDescription {
  readonly ZoneId: string;
  readonly LocalName: string;
  readonly ZoneType: 'AvailabilityZone';
  readonly AvailableResourceCreation: readonly string[];
}

export interface Tag {
  readonly Key: string;
  /** @default empty */
  readonly Value?: string;
}

/** What can be tagged, beside keys. */
export type TaggedType = 'disk' | 'snapshot' | 'image' | 'instance';

export interface TagResource {
  readonly ResourceType: TaggedType | 'key';
  readonly ResourceId: string;
  readonly TagKey: string;
  readonly TagValue: string;
}

/** What the verbs on tags take, for everything but keys. */
export interface TaggedVerbs {
  readonly TagResources: {
    readonly ResourceType: TaggedType;
    readonly ResourceId: readonly string[];
    readonly Tag: readonly Tag[];
  };
  readonly UntagResources: {
    readonly ResourceType: TaggedType;
    readonly ResourceId: readonly string[];
    readonly TagKey?: readonly string[];
    /** All of them. @default false */
    readonly All?: boolean;
  };
  readonly ListTagResources: {
    readonly ResourceType: TaggedType;
    readonly ResourceId?: readonly string[];
    /** A Tag without Value: any value. */
    readonly Tag?: readonly Tag[];
    /** From the answer before. */
    readonly NextToken?: string;
  };
}

export interface AccessVerbs {
  /** Empty: back to the account's default group. */
  JoinResourceGroup: {
    parameters: {
      readonly ResourceType: TaggedType;
      readonly ResourceId: string;
      readonly ResourceGroupId: string;
    };
    result: Nothing;
  };
  DescribeRegions: {
    parameters: NoParameters;
    result: { readonly Regions: readonly RegionDescription[] };
  };
  DescribeZones: {
    parameters: NoParameters;
    result: { readonly Zones: readonly ZoneDescription[] };
  };
  /** From now on every new disk, snapshot copy and image copy in the region is encrypted. */
  EnableDiskEncryptionByDefault: { parameters: NoParameters; result: Nothing };
  /** What is encrypted stays so. */
  DisableDiskEncryptionByDefault: { parameters: NoParameters; result: Nothing };
  DescribeDiskEncryptionByDefaultStatus: {
    parameters: NoParameters;
    result: { readonly Encrypted: boolean };
  };
  ModifyDiskDefaultKMSKeyId: { parameters: { readonly KMSKeyId: string }; result: Nothing };
  /** Back to the service key. */
  ResetDiskDefaultKMSKeyId: { parameters: NoParameters; result: Nothing };
  DescribeDiskDefaultKMSKeyId: { parameters: NoParameters; result: { readonly KMSKeyId: string } };
  /** Of keys too: then it is the KMS API's. */
  TagResources: {
    parameters: TaggedVerbs['TagResources'] | ManyKeyTagVerbs['TagResources']['parameters'];
    result: Nothing;
  };
  UntagResources: {
    parameters: TaggedVerbs['UntagResources'] | ManyKeyTagVerbs['UntagResources']['parameters'];
    result: Nothing;
  };
  /** Tags of the resources given, or of all of the type that have the tags asked for. */
  ListTagResources: {
    parameters: TaggedVerbs['ListTagResources'] | ManyKeyTagVerbs['ListTagResources']['parameters'];
    result: {
      readonly TagResources: readonly TagResource[];
      /** Empty: there are no more. */
      readonly NextToken: string;
    };
  };
}
