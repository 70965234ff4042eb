/** The verbs on usage. */
import type { VerbRows } from '../verb-row.ts';
import { describeUsage, describeUsageSchema } from './describe-usage.ts';
import type { BillingVerbs } from './types.ts';

export const BILLING_VERBS: VerbRows<BillingVerbs> = {
  DescribeUsage: {
    schema: describeUsageSchema,
    run: describeUsage,
    access: 'read',
    service: 'plane',
  },
};
