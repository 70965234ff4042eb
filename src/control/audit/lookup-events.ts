/**
 * LookupEvents: the audit log of the caller's account, oldest first, a page at a time. The name is
 * ActionTrail's. A page looks at a bounded number of entries: it may show none and still have a
 * NextToken.
 */
import * as v from 'valibot';
import { invariant } from '../../base/invariant.ts';
import { AUDIT_PAGE_STEPS_MAX, RESULTS_DEFAULT } from '../../limits.ts';
import type { AuditRecord } from '../../record/document.ts';
import type { ControlContext } from '../context.ts';
import { idSchema, isoSeconds, maxResultsSchema, nextTokenSchema, timeSchema } from '../schemas.ts';
import type { AuditEvent, AuditVerbs } from './types.ts';

export const lookupEventsSchema = v.strictObject({
  ResourceId: v.optional(idSchema),
  KMSKeyId: v.optional(idSchema),
  EventName: v.optional(v.pipe(v.string(), v.maxLength(64))),
  StartTime: v.optional(timeSchema),
  EndTime: v.optional(timeSchema),
  NextToken: v.optional(nextTokenSchema(/^[0-9]{16}$/)),
  MaxResults: v.optional(maxResultsSchema),
});

type Parameters = AuditVerbs['LookupEvents']['parameters'];

export async function lookupEvents(
  context: ControlContext,
  parameters: Parameters,
): Promise<AuditVerbs['LookupEvents']['result']> {
  const group = groupOf(context, parameters);
  if (group === null) return { Events: [], NextToken: '' };
  const limit = parameters.MaxResults ?? RESULTS_DEFAULT;
  const after = parameters.NextToken ?? null;
  const keys = context.metadata.documentKeysAfter('audit', group, after, AUDIT_PAGE_STEPS_MAX);
  const Events: AuditEvent[] = [];
  for (const [index, key] of keys.entries()) {
    const entry = context.metadata.getDocument('audit', key);
    invariant(entry !== undefined, `audit entry ${key} is listed and there`);
    const isMore = index < keys.length - 1 || keys.length === AUDIT_PAGE_STEPS_MAX;
    if (isBehind(entry, parameters)) break;
    if (isMatch(context, entry, parameters)) Events.push(eventOf(entry));
    const isFull = Events.length === limit || index === AUDIT_PAGE_STEPS_MAX - 1;
    if (isFull && isMore) return { Events, NextToken: key };
  }
  return { Events, NextToken: '' };
}

/** The smallest group the answer lies in; null: what is asked for is no id, so nothing is there. */
function groupOf(context: ControlContext, { ResourceId, KMSKeyId }: Parameters): string | null {
  const isPart = (text: string): boolean => /^[a-z0-9-]{1,64}$/.test(text);
  if (ResourceId !== undefined) return isPart(ResourceId) ? `resource/${ResourceId}` : null;
  if (KMSKeyId !== undefined) return isPart(KMSKeyId) ? `key/${KMSKeyId}` : null;
  return `account/${context.accountId}`;
}

/** Entries are in the order of time: no later one matches either. */
function isBehind(entry: AuditRecord, { EndTime }: Parameters): boolean {
  return EndTime !== undefined && entry.at >= Date.parse(EndTime);
}

function isMatch(context: ControlContext, entry: AuditRecord, asked: Parameters): boolean {
  const { accountId, action, keyId, at } = entry;
  if (accountId !== context.accountId) return false;
  if (asked.KMSKeyId !== undefined && keyId !== asked.KMSKeyId) return false;
  if (asked.EventName !== undefined && action !== asked.EventName) return false;
  return asked.StartTime === undefined || at >= Date.parse(asked.StartTime);
}

function eventOf(entry: AuditRecord): AuditEvent {
  return {
    Sequence: entry.sequence,
    EventTime: isoSeconds(entry.at),
    EventType: entry.reason === '' ? 'Call' : 'KeyUse',
    EventName: entry.action,
    AccountId: entry.accountId,
    RegionId: entry.regionId,
    Principal: entry.principal,
    ResourceIds: entry.resourceIds,
    KMSKeyId: entry.keyId,
    KeyVersion: entry.keyVersion,
    Outcome: entry.outcome,
    Reason: entry.reason,
  };
}
