/** The verbs on the audit log. */

/** One line of the audit log: a management call, or a use of a master key. */
export interface AuditEvent {
  /** Counts from 1 without a gap, over all accounts of a plane. */
  readonly Sequence: number;
  readonly EventTime: string;
  /** Call: a verb was called. KeyUse: a data key was wrapped or unwrapped. */
  readonly EventType: 'Call' | 'KeyUse';
  /** The verb, or WrapDataKey, UnwrapDataKey. */
  readonly EventName: string;
  readonly AccountId: string;
  readonly RegionId: string;
  /** The RAM user, or root. */
  readonly Principal: string;
  readonly ResourceIds: readonly string[];
  /** Empty: no key was involved. */
  readonly KMSKeyId: string;
  /** 0: none, or not known. */
  readonly KeyVersion: number;
  /** OK, or the code of the refusal. */
  readonly Outcome: string;
  /** Why a key was used: the verb. Why the plane called a verb by itself: RetentionDays. */
  readonly Reason: string;
}

export interface AuditVerbs {
  /** What the account did, oldest first; by a resource or by a key, in a span of time. */
  LookupEvents: {
    parameters: {
      readonly ResourceId?: string;
      readonly KMSKeyId?: string;
      readonly EventName?: string;
      /** From this time on: 2026-01-31T12:00:00Z. */
      readonly StartTime?: string;
      /** Before this time. */
      readonly EndTime?: string;
      readonly NextToken?: string;
      readonly MaxResults?: number;
    };
    result: {
      readonly Events: readonly AuditEvent[];
      /** Empty: there are no more. */
      readonly NextToken: string;
    };
  };
}
