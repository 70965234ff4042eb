/** The verbs on lineage. */
import type { VerbRows } from '../verb-row.ts';
import { describeLineage, describeLineageSchema } from './describe-lineage.ts';
import type { LineageVerbs } from './types.ts';

export const LINEAGE_VERBS: VerbRows<LineageVerbs> = {
  DescribeLineage: {
    schema: describeLineageSchema,
    run: describeLineage,
    access: 'read',
    service: 'plane',
  },
};
