/** The verbs on the audit log. */
import type { VerbRows } from '../verb-row.ts';
import { lookupEvents, lookupEventsSchema } from './lookup-events.ts';
import type { AuditVerbs } from './types.ts';

export const AUDIT_VERBS: VerbRows<AuditVerbs> = {
  LookupEvents: { schema: lookupEventsSchema, run: lookupEvents, access: 'read', service: 'plane' },
};
