/** DescribeUsage: calls of the KMS API and key days of a month, and what of them is billed. */
import * as v from 'valibot';
import { STORE_RANGE_ENTRIES_MAX } from '../../limits.ts';
import { scopeGroup } from '../../meta/documents.ts';
import type { ControlContext } from '../context.ts';
import { BILLING_RULES } from './billing-rules.ts';
import type { BillingVerbs, KeyDays, UsageLine } from './types.ts';
import { monthOf } from './usage.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export const describeUsageSchema = v.strictObject({
  Month: v.optional(v.pipe(v.string(), v.regex(/^[0-9]{4}-(0[1-9]|1[0-2])$/, 'a month: 2026-01'))),
});

export async function describeUsage(
  context: ControlContext,
  parameters: BillingVerbs['DescribeUsage']['parameters'],
): Promise<BillingVerbs['DescribeUsage']['result']> {
  const { accountId, regionId } = context;
  const Month = parameters.Month ?? monthOf(context.clock.now());
  const keys = await context.kms.call({ op: 'listKeys', accountId, regionId });
  const serviceKeys = new Set(keys.filter((key) => key.isServiceKey).map((key) => key.keyId));
  // A key that is gone was a user's: service keys cannot be deleted.
  const kindOf = (keyId: string) => (serviceKeys.has(keyId) ? 'service' : 'user');
  const group = `scope/${scopeGroup(accountId, regionId)}/${Month}`;
  const usage = context.metadata.listDocuments('usage', group, 0, STORE_RANGE_ENTRIES_MAX);
  const Operations = usage.records.map(({ keyId, operation, calls }): UsageLine => {
    const KeyKind = kindOf(keyId);
    const IsBilled = KeyKind === 'user';
    return { KMSKeyId: keyId, KeyKind, Operation: operation, Calls: calls, IsBilled };
  });
  const Keys = keys.flatMap(({ keyId, createdAt }): KeyDays[] => {
    const Days = daysOf(Month, createdAt, context.clock.now());
    const KeyKind = kindOf(keyId);
    return Days === 0 ? [] : [{ KMSKeyId: keyId, KeyKind, Days, IsBilled: KeyKind === 'user' }];
  });
  const callsOf = (lines: readonly UsageLine[]) => lines.reduce((sum, line) => sum + line.Calls, 0);
  return {
    Month,
    RegionId: regionId,
    Operations,
    Keys,
    CountedCalls: callsOf(Operations),
    BilledCalls: callsOf(Operations.filter((line) => line.IsBilled)),
    BilledKeyDays: Keys.reduce((sum, key) => sum + (key.IsBilled ? key.Days : 0), 0),
    Rules: BILLING_RULES.map((rule) => ({
      Item: rule.item,
      IsCounted: rule.isCounted,
      Billed: rule.billed,
      Because: rule.because,
      Source: rule.source,
    })),
  };
}

/** Days of a month from a key's creation to now, both begun days counted. */
function daysOf(month: string, createdAt: number, now: number): number {
  const start = Date.parse(`${month}-01T00:00:00Z`);
  const end = new Date(start).setUTCMonth(new Date(start).getUTCMonth() + 1);
  const from = Math.max(start, createdAt);
  const until = Math.min(end, now + 1);
  if (until <= from) return 0;
  return Math.ceil(until / DAY_MS) - Math.floor(from / DAY_MS);
}
