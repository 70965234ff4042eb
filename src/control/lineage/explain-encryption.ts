/**
 * ExplainEncryption: why a disk or snapshot is encrypted as it is. The question that was put to the
 * tables when it was made is kept in its record, and is put to them again.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { isDiskId } from '../../record/ids.ts';
import type { DiskRecord, QuestionRecord, SnapshotRecord } from '../../record/resource.ts';
import type { ControlContext } from '../context.ts';
import type { EncryptionQuestion } from '../encryption/decide.ts';
import { explainEncryption as explainQuestion } from '../encryption/explain.ts';
import { findDisk, findSnapshot } from '../find.ts';
import { idSchema } from '../schemas.ts';
import type { LineageVerbs } from './types.ts';

export const explainEncryptionSchema = v.strictObject({ ResourceId: idSchema });

export async function explainEncryption(
  context: ControlContext,
  { ResourceId }: LineageVerbs['ExplainEncryption']['parameters'],
): Promise<LineageVerbs['ExplainEncryption']['result']> {
  const record = isDiskId(ResourceId)
    ? findDisk(context, ResourceId)
    : findSnapshot(context, ResourceId);
  const { decision, lines } = explainQuestion(questionFor(context, record));
  const keyId = record.encryption?.keyId ?? '';
  const now = keyId === '' ? 'stored in plain' : `under ${keyId}`;
  return {
    ResourceId,
    KMSKeyId: keyId,
    Outcome: decision.outcome,
    Lines: [...lines, `  now       ${now}`],
  };
}

/** The question as it is kept. */
export function questionRecord(question: EncryptionQuestion): QuestionRecord {
  const { disk, isSourceKey = false, ...asked } = question;
  return { ...asked, isSourceKey, category: disk?.category ?? '', use: disk?.use ?? '' };
}

/** The question that was asked; of a snapshot of a disk, that which its creation is. */
function questionFor(
  context: ControlContext,
  record: DiskRecord | SnapshotRecord,
): EncryptionQuestion {
  if (record.question !== undefined) {
    const { category, use, ...asked } = record.question;
    const disk = category === '' ? {} : { disk: { category, use } };
    return { ...asked, ...disk } as EncryptionQuestion;
  }
  if ('diskId' in record) {
    const { diskId, encryption } = record;
    const now = encryption === null ? 'in plain' : `under ${encryption.keyId}`;
    const detail = `no rule decided on ${diskId}: a world was seeded with it, ${now}`;
    throw new PlaneError('InvalidParameter', detail);
  }
  return {
    ruleSet: context.ruleSet,
    resource: 'snapshot',
    action: 'create',
    source: record.encryption === null ? 'plain' : 'encrypted',
    encrypted: 'absent',
    default: false,
    key: false,
  };
}
