/** The verbs on regions, tags and account-level default encryption. */

type Nothing = Record<string, never>;

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

/** What can be tagged. */
export type TaggedType = 'disk' | 'snapshot' | 'image' | 'instance';

export interface TagResource {
  readonly ResourceType: TaggedType;
  readonly ResourceId: string;
  readonly TagKey: string;
  readonly TagValue: string;
}

export interface AccessVerbs {
  DescribeRegions: {
    parameters: Nothing;
    result: { readonly Regions: readonly RegionDescription[] };
  };
  DescribeZones: { parameters: Nothing; result: { readonly Zones: readonly ZoneDescription[] } };
  /** From now on every new disk, snapshot copy and image copy in the region is encrypted. */
  EnableDiskEncryptionByDefault: { parameters: Nothing; result: Nothing };
  /** What is encrypted stays so. */
  DisableDiskEncryptionByDefault: { parameters: Nothing; result: Nothing };
  DescribeDiskEncryptionByDefaultStatus: {
    parameters: Nothing;
    result: { readonly Encrypted: boolean };
  };
  ModifyDiskDefaultKMSKeyId: { parameters: { readonly KMSKeyId: string }; result: Nothing };
  /** Back to the service key. */
  ResetDiskDefaultKMSKeyId: { parameters: Nothing; result: Nothing };
  DescribeDiskDefaultKMSKeyId: { parameters: Nothing; result: { readonly KMSKeyId: string } };
  TagResources: {
    parameters: {
      readonly ResourceType: TaggedType;
      readonly ResourceId: readonly string[];
      readonly Tag: readonly Tag[];
    };
    result: Nothing;
  };
  UntagResources: {
    parameters: {
      readonly ResourceType: TaggedType;
      readonly ResourceId: readonly string[];
      readonly TagKey?: readonly string[];
      /** All of them. @default false */
      readonly All?: boolean;
    };
    result: Nothing;
  };
  /** Tags of the resources given, or of all of the type that have the tags asked for. */
  ListTagResources: {
    parameters: {
      readonly ResourceType: TaggedType;
      readonly ResourceId?: readonly string[];
      /** A Tag without Value: any value. */
      readonly Tag?: readonly Tag[];
      /** From the answer before. */
      readonly NextToken?: string;
    };
    result: {
      readonly TagResources: readonly TagResource[];
      /** Empty: there are no more. */
      readonly NextToken: string;
    };
  };
}
