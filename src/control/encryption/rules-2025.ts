/**
 * DATA: rule set 2025, "Account-level EBS Default Encryption": three tables, 152 cells. Pure.
 *
 * The cells are written as the document has them. What it leaves to the API (which error a refusal
 * is, what an explicit Encrypted=false does) comes from the API's own pages, and stands in the code
 * of a row and in request-rules.ts.
 */
import type { EncryptionRow } from './cells.ts';
import { documentOf } from './documents.ts';
import { DISK_ROWS_2025 } from './rules-2025-disks.ts';
import { IMAGE_ROWS_2025 } from './rules-2025-images.ts';
import { SNAPSHOT_ROWS_2025 } from './rules-2025-snapshots.ts';

const IN_2025 = { ruleSet: '2025', document: documentOf('2025') } as const;

export const RULES_2025: readonly EncryptionRow[] = [
  ...DISK_ROWS_2025,
  ...SNAPSHOT_ROWS_2025,
  ...IMAGE_ROWS_2025,
].map((draft) => ({ ...IN_2025, ...draft }));
