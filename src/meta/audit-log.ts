/**
 * The audit log and the counters of key use, written in the transaction of what they tell of.
 * Thread: main.
 *
 *   doc/audit/<sequence, 16 digits>     one entry (document.ts); audit/last: the last sequence
 *   doc/usage/<account>/<region>/<month>/<keyId>/<operation>
 *
 * 1. Sequences count from 1 without a gap: one is given inside the transaction that stores it.
 * 2. Entries are appended and never changed. Of more than the most that are kept the oldest are
 *    dropped, a few more than were appended: so the cost of an append does not grow, and a log
 *    longer than a lowered limit shrinks.
 */
import type { KeyValueReader, KeyValueTransaction } from '../kv/key-value-store.ts';
import { decodeRecord, encodeRecord } from '../record/codec.ts';
import type { AuditRecord, UsageRecord } from '../record/document.ts';
import type { CountChanges } from './count-changes.ts';
import {
  documentsPrefix,
  packDocument,
  putDocument,
  readDocument,
  removeDocument,
  usageKey,
} from './documents.ts';
import { AUDIT_LAST } from './tables.ts';

/** An entry whose sequence is still to be given. */
export type AuditEntry = Omit<AuditRecord, 'sequence'>;

/** @returns 0: nothing was ever appended */
function lastAuditSequence(reader: KeyValueReader): number {
  const bytes = reader.get(AUDIT_LAST);
  return bytes === undefined ? 0 : decodeRecord('counter', bytes).count;
}

/** @param entriesMax kept, at least 1 */
export function appendAudit(
  transaction: KeyValueTransaction,
  counts: CountChanges,
  entries: readonly AuditEntry[],
  entriesMax: number,
): void {
  if (entries.length === 0) return;
  let sequence = lastAuditSequence(transaction);
  for (const entry of entries) {
    sequence++;
    const record = { ...entry, sequence };
    putDocument(transaction, counts, packDocument({ kind: 'audit', record }));
  }
  transaction.put(AUDIT_LAST, encodeRecord('counter', { count: sequence }));
  const prefix = documentsPrefix('audit');
  const oldest = transaction.range({ prefix, limit: 2 * entries.length + 1 });
  for (const { key } of oldest) {
    const name = key.slice(prefix.length);
    if (sequence - Number(name) < entriesMax) return;
    removeDocument(transaction, counts, { kind: 'audit', key: name });
  }
}

/** Adds to what was counted so far. */
export function addUsage(
  transaction: KeyValueTransaction,
  counts: CountChanges,
  usage: readonly UsageRecord[],
): void {
  for (const added of usage) {
    const former = readDocument(transaction, 'usage', usageKey(added))?.calls ?? 0;
    const record = { ...added, calls: former + added.calls };
    putDocument(transaction, counts, packDocument({ kind: 'usage', record }));
  }
}
