/**
 * DATA: from the parameters of a call to a cell of the tables. Pure.
 *
 * The tables know encryption selected or not; the API's parameter Encrypted may be false, true or
 * absent. Absent is the tables' "not selected". An explicit false is more: the caller says that the
 * result must not be encrypted, so where the table would encrypt it, the call is refused.
 */
import type { ErrorCode } from '../../base/errors.ts';
import type { Action, Outcome, Resource, Source } from './cells.ts';
import { API_DOCUMENT } from './documents.ts';
import type { Pattern, Provenance } from './pattern.ts';

export type EncryptedParameter = 'absent' | 'false' | 'true';

export interface Request {
  readonly resource: Resource;
  readonly action: Action;
  readonly encrypted: EncryptedParameter;
}

export interface RequestRow extends Provenance {
  readonly where: Pattern<Request>;
  /** The field of the cell; null: there is no choice, or the request is refused. */
  readonly encrypt: boolean | null;
  readonly code: ErrorCode | null;
}

const COPIED = ['snapshot', 'image'] as const;

export const REQUEST_ROWS: readonly RequestRow[] = [
  {
    where: { resource: ['disk'], encrypted: ['absent', 'false'] },
    encrypt: false,
    code: null,
    because: 'encryption is not selected',
    document: API_DOCUMENT,
    place: 'CreateDisk, parameter Encrypted',
  },
  {
    where: { resource: ['disk'], encrypted: ['true'] },
    encrypt: true,
    code: null,
    because: 'encryption is selected',
    document: API_DOCUMENT,
    place: 'CreateDisk, parameter Encrypted',
  },
  {
    where: { resource: COPIED, action: ['create'], encrypted: ['absent'] },
    encrypt: null,
    code: null,
    because: 'creating a snapshot or an image leaves no choice of encryption',
    document: API_DOCUMENT,
    place: 'CreateSnapshot and CreateImage, parameters',
  },
  {
    where: { resource: COPIED, action: ['create'], encrypted: ['false', 'true'] },
    encrypt: null,
    code: 'UnsupportedParameter',
    because: 'creating a snapshot or an image leaves no choice of encryption',
    document: API_DOCUMENT,
    place: 'CreateSnapshot and CreateImage, parameters',
  },
  {
    where: { resource: COPIED, action: ['copy-cross'], encrypted: ['absent', 'false'] },
    encrypt: false,
    code: null,
    because: 'Copy is selected',
    document: API_DOCUMENT,
    place: 'CopySnapshot and CopyImage, parameter Encrypted',
  },
  {
    where: { resource: COPIED, action: ['copy-cross', 'copy-local'], encrypted: ['true'] },
    encrypt: true,
    code: null,
    because: 'Copy and Encrypt is selected',
    document: API_DOCUMENT,
    place: 'CopySnapshot and CopyImage, parameter Encrypted',
  },
  {
    where: { resource: ['snapshot'], action: ['copy-local'], encrypted: ['absent', 'false'] },
    encrypt: null,
    code: 'InvalidOperation.NotSupportCopyInSameRegion',
    because: 'without encryption a snapshot is copied only to another region',
    document: API_DOCUMENT,
    place: 'CopySnapshot, InvalidOperation.NotSupportCopyInSameRegion',
  },
  {
    where: { resource: ['image'], action: ['copy-local'], encrypted: ['absent', 'false'] },
    encrypt: null,
    code: 'IncorrectDestinationRegion',
    because: 'without encryption an image is copied only to another region',
    document: API_DOCUMENT,
    place: 'CopyImage, IncorrectDestinationRegion',
  },
];

/** What an explicit Encrypted=false is judged by: what the table says of the cell. */
export interface ExplicitFalse {
  readonly source: Source;
  readonly outcome: Outcome;
}

export interface ExplicitFalseRow extends Provenance {
  readonly where: Pattern<ExplicitFalse>;
  readonly code: ErrorCode | null;
}

const ENCRYPTING = ['default', 'source', 'specified', 'service'] as const;

export const EXPLICIT_FALSE_ROWS: readonly ExplicitFalseRow[] = [
  {
    where: { outcome: ['none', 'na'] },
    code: null,
    because: 'the table does not encrypt, or refuses by itself',
    document: API_DOCUMENT,
    place: 'CreateDisk, parameter Encrypted',
  },
  {
    where: { source: ['encrypted', 'shared-encrypted'], outcome: ENCRYPTING },
    code: 'InvalidEncrypted.NotMatchSnapshot',
    because: 'Encrypted is false, and what is made of an encrypted source is encrypted',
    document: API_DOCUMENT,
    place: 'CreateDisk, InvalidEncrypted.NotMatchSnapshot',
  },
  {
    where: { source: ['empty', 'plain', 'shared-plain'], outcome: ENCRYPTING },
    code: 'InvalidEncrypted.NotMatchDiskDefaultEncryption',
    because: 'Encrypted is false, and default encryption is on in the region',
    document: API_DOCUMENT,
    place: 'CreateDisk and CopyImage, InvalidEncrypted.NotMatchDiskDefaultEncryption',
  },
];
