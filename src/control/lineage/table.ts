/** The verbs on lineage. */
import type { VerbRows } from '../verb-row.ts';
import { describeKeyImpact, describeKeyImpactSchema } from './describe-key-impact.ts';
import { describeLineage, describeLineageSchema } from './describe-lineage.ts';
import { eraseDataKey, eraseDataKeySchema } from './erase-data-key.ts';
import { explainEncryption, explainEncryptionSchema } from './explain-encryption.ts';
import type { LineageVerbs } from './types.ts';

export const LINEAGE_VERBS: VerbRows<LineageVerbs> = {
  DescribeLineage: {
    schema: describeLineageSchema,
    run: describeLineage,
    access: 'read',
    service: 'plane',
  },
  DescribeKeyImpact: {
    schema: describeKeyImpactSchema,
    run: describeKeyImpact,
    access: 'read',
    service: 'plane',
  },
  ExplainEncryption: {
    schema: explainEncryptionSchema,
    run: explainEncryption,
    access: 'read',
    service: 'plane',
  },
  EraseDataKey: {
    schema: eraseDataKeySchema,
    run: eraseDataKey,
    access: 'write',
    service: 'plane',
  },
};
