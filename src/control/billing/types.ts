/** The verbs on usage. */

/** How often one operation used one key in the month. */
export interface UsageLine {
  readonly KMSKeyId: string;
  readonly KeyKind: 'service' | 'user';
  /** The verb. */
  readonly Operation: string;
  /** Calls of the KMS API, as the documents count them. */
  readonly Calls: number;
  readonly IsBilled: boolean;
}

export interface KeyDays {
  readonly KMSKeyId: string;
  readonly KeyKind: 'service' | 'user';
  /** Days of the month, begun ones counted, on which the key existed. */
  readonly Days: number;
  readonly IsBilled: boolean;
}

export interface BillingRuleLine {
  readonly Item: string;
  readonly IsCounted: boolean;
  readonly Billed: 'user key' | 'never';
  readonly Because: string;
  readonly Source: string;
}

export interface BillingVerbs {
  /** What the account used of KMS in the region in a month, what of it is billed, and why. */
  DescribeUsage: {
    parameters: {
      /** UTC: 2026-01. @default the month it is */
      readonly Month?: string;
    };
    result: {
      readonly Month: string;
      readonly RegionId: string;
      readonly Operations: readonly UsageLine[];
      /** Keys there are now; of keys deleted since, nothing is known. */
      readonly Keys: readonly KeyDays[];
      /** Calls that count against the quota of the region. */
      readonly CountedCalls: number;
      readonly BilledCalls: number;
      readonly BilledKeyDays: number;
      readonly Rules: readonly BillingRuleLine[];
    };
  };
}
