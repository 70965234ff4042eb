/**
 * DATA: what may be shared with another account and what may be exported, by the key it is
 * encrypted under. Pure.
 *
 * "BYOK" in the documents is any master key of the user's own, made in KMS or imported: what they
 * set against it is the service key. So a key of one's own may be shared, whatever its origin.
 */
import type { ErrorCode } from '../../base/errors.ts';
import type { RuleSet } from './cells.ts';
import { API_DOCUMENT, documentOf } from './documents.ts';
import { type Pattern, type Provenance, rowFor } from './pattern.ts';

export interface Handover {
  readonly ruleSet: RuleSet;
  readonly operation: 'share' | 'export';
  readonly resource: 'snapshot' | 'image';
  /** plain: not encrypted; service: by the service key; user: by a key of the account's own. */
  readonly encryption: 'plain' | 'service' | 'user';
}

export interface SharingRow extends Provenance {
  readonly where: Pattern<Handover>;
  /** null: it may. */
  readonly code: ErrorCode | null;
}

const ENCRYPTED = ['service', 'user'] as const;

const ALL_ROWS: readonly SharingRow[] = [
  {
    where: { operation: ['export'], resource: ['snapshot'] },
    code: 'UnsupportedOperation',
    because: 'no document speaks of exporting snapshots',
    document: API_DOCUMENT,
    place: 'nowhere',
  },
  {
    where: { ruleSet: ['2018', '2020'], operation: ['share'], resource: ['snapshot'] },
    code: 'UnsupportedOperation',
    because: 'the document does not speak of sharing snapshots',
    document: `${documentOf('2018')}; ${documentOf('2020')}`,
    place: 'nowhere',
  },
];

const ROWS_2018: readonly SharingRow[] = [
  {
    where: { ruleSet: ['2018'], resource: ['image'], encryption: ['plain'] },
    code: null,
    because: 'only images made from encrypted snapshots cannot be shared or exported',
    document: documentOf('2018'),
    place: 'Limits: images from encrypted snapshots',
  },
  {
    where: { ruleSet: ['2018'], operation: ['share'], resource: ['image'], encryption: ENCRYPTED },
    code: 'OperationDeined.EncryptedSnapshot',
    because: 'images made from encrypted snapshots cannot be shared',
    document: documentOf('2018'),
    place: 'Limits: images from encrypted snapshots cannot be shared',
  },
  {
    where: { ruleSet: ['2018'], operation: ['export'], resource: ['image'], encryption: ENCRYPTED },
    code: 'ImageNotSupported',
    because: 'images made from encrypted snapshots cannot be exported',
    document: documentOf('2018'),
    place: 'Limits: images from encrypted snapshots cannot be exported',
  },
];

const ROWS_2020: readonly SharingRow[] = [
  {
    where: { ruleSet: ['2020'], resource: ['image'], encryption: ['plain'] },
    code: null,
    because: 'only encrypted images cannot be shared or exported',
    document: documentOf('2020'),
    place: 'Limits: encrypted images',
  },
  {
    where: { ruleSet: ['2020'], operation: ['share'], resource: ['image'], encryption: ENCRYPTED },
    code: 'OperationDeined.EncryptedSnapshot',
    because: 'encrypted images cannot be shared',
    document: documentOf('2020'),
    place: 'Limits: sharing encrypted images',
  },
  {
    where: { ruleSet: ['2020'], operation: ['export'], resource: ['image'], encryption: ENCRYPTED },
    code: 'ImageNotSupported',
    because: 'encrypted images cannot be exported',
    document: documentOf('2020'),
    place: 'Limits: exporting encrypted images',
  },
];

const ROWS_2025: readonly SharingRow[] = [
  {
    where: { ruleSet: ['2025'], operation: ['share'], encryption: ['plain'] },
    code: null,
    because: 'what is not encrypted can be shared',
    document: documentOf('2025'),
    place: 'Disk encryption results: shared non-encrypted snapshot or image',
  },
  {
    where: { ruleSet: ['2025'], operation: ['share'], encryption: ['user'] },
    code: null,
    because: 'what is encrypted by a key of the user can be shared; the receiver changes the key',
    document: documentOf('2025'),
    place: 'Disk encryption results: only BYOK keys support sharing',
  },
  {
    where: {
      ruleSet: ['2025'],
      operation: ['share'],
      resource: ['snapshot'],
      encryption: ['service'],
    },
    code: 'InvalidSnapshotId.EncryptedNotSupport',
    because: 'a snapshot encrypted by the service key cannot be shared',
    document: documentOf('2025'),
    place: 'Disk encryption results: only BYOK keys support sharing',
  },
  {
    where: {
      ruleSet: ['2025'],
      operation: ['share'],
      resource: ['image'],
      encryption: ['service'],
    },
    code: 'InvalidOperation.ServiceKeyEncryptedImageUnsupported',
    because: 'an image encrypted by the service key cannot be shared',
    document: API_DOCUMENT,
    place: 'ModifyImageSharePermission, InvalidOperation.ServiceKeyEncryptedImageUnsupported',
  },
  {
    where: { ruleSet: ['2025'], operation: ['export'], resource: ['image'], encryption: ['plain'] },
    code: null,
    because: 'an image that is not encrypted can be exported',
    document: API_DOCUMENT,
    place: 'ExportImage',
  },
  {
    where: { ruleSet: ['2025'], operation: ['export'], resource: ['image'], encryption: ENCRYPTED },
    code: 'ImageNotSupported',
    because: 'encrypted images cannot be exported',
    document: API_DOCUMENT,
    place: 'ExportImage, ImageNotSupported',
  },
];

export const SHARING_ROWS: readonly SharingRow[] = [
  ...ALL_ROWS,
  ...ROWS_2018,
  ...ROWS_2020,
  ...ROWS_2025,
];

/** The row for sharing or exporting something. */
export function sharingRow(handover: Handover): SharingRow {
  return rowFor(SHARING_ROWS, handover);
}
