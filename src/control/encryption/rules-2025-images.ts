/**
 * DATA: rule set 2025, the 56 cells of the table "Image encryption results". Pure.
 *
 * `place` names the table's row: what its first column says, then its second. "Yes" is the feature
 * Copy and Encrypt: it never keeps the source's key, whosever the source is.
 */
import type { RowDraft } from './cells.ts';

const CREATE = { resource: ['image'], action: ['create'] } as const;
const COPY = { resource: ['image'], action: ['copy-cross'], encrypt: [false] } as const;
const CROSS = { resource: ['image'], action: ['copy-cross'], encrypt: [true] } as const;
const LOCAL = { resource: ['image'], action: ['copy-local'] } as const;
const OFF = [false];
const ON = [true];
const NO_KEY = [false];
const KEY = [true];

export const IMAGE_ROWS_2025: readonly RowDraft[] = [
  {
    where: { ...CREATE, key: KEY },
    outcome: 'na',
    code: 'UnsupportedParameter',
    because: 'creating an image leaves no choice of a key',
    place: 'Image encryption results: N/A, all sources',
  },
  {
    where: { ...CREATE, source: ['plain'], key: NO_KEY },
    outcome: 'none',
    code: null,
    because: 'an image of disks that are not encrypted is not, whatever the default',
    place: 'Image encryption results: N/A, instance with non-encrypted disks',
  },
  {
    where: { ...CREATE, source: ['encrypted'], key: NO_KEY },
    outcome: 'source',
    code: null,
    because: 'an image is encrypted as its disks are, by the same keys',
    place: 'Image encryption results: N/A, instance with encrypted disks',
  },
  {
    where: { ...COPY, key: KEY },
    outcome: 'na',
    code: 'InvalidParameter.EncryptedIllegal',
    because: 'a key is specified, but Copy is selected and not Copy and Encrypt',
    place: 'Image encryption results: No, all sources',
  },
  {
    where: { ...COPY, source: ['plain'], default: OFF, key: NO_KEY },
    outcome: 'none',
    code: null,
    because: 'encryption is not selected, and default encryption is off in the destination region',
    place: 'Image encryption results: No, non-encrypted image copied across regions',
  },
  {
    where: { ...COPY, source: ['plain'], default: ON, key: NO_KEY },
    outcome: 'default',
    code: null,
    because: 'default encryption is on in the destination region: the copy is encrypted unasked',
    place: 'Image encryption results: No, non-encrypted image copied across regions',
  },
  {
    where: { ...COPY, source: ['encrypted'], key: NO_KEY },
    outcome: 'na',
    code: 'OperationDeined.EncryptedSnapshot',
    because: 'an encrypted image is copied only by Copy and Encrypt',
    place: 'Image encryption results: No, encrypted image copied across regions',
  },
  {
    where: { ...COPY, source: ['shared-plain'], default: OFF, key: NO_KEY },
    outcome: 'none',
    code: null,
    because: 'encryption is not selected, and default encryption is off in the destination region',
    place: 'Image encryption results: No, shared non-encrypted image copied across regions',
  },
  {
    where: { ...COPY, source: ['shared-plain'], default: ON, key: NO_KEY },
    outcome: 'default',
    code: null,
    because: 'default encryption is on in the destination region: the copy is encrypted unasked',
    place: 'Image encryption results: No, shared non-encrypted image copied across regions',
  },
  {
    where: { ...COPY, source: ['shared-encrypted'], key: NO_KEY },
    outcome: 'na',
    code: 'OperationDeined.EncryptedSnapshot',
    because: 'an encrypted image is copied only by Copy and Encrypt',
    place: 'Image encryption results: No, shared encrypted image copied across regions',
  },
  {
    where: { ...LOCAL, default: OFF, key: NO_KEY },
    outcome: 'service',
    code: null,
    because: 'Copy and Encrypt without a key takes the service key of the region',
    place: 'Image encryption results: Yes, any image copied and encrypted within a region',
  },
  {
    where: { ...LOCAL, default: ON, key: NO_KEY },
    outcome: 'default',
    code: null,
    because: 'Copy and Encrypt without a key takes the default key of the region',
    place: 'Image encryption results: Yes, any image copied and encrypted within a region',
  },
  {
    where: { ...LOCAL, key: KEY },
    outcome: 'specified',
    code: null,
    because: 'a specified key goes before all others',
    place: 'Image encryption results: Yes, any image copied and encrypted within a region',
  },
  {
    where: { ...CROSS, default: OFF, key: NO_KEY },
    outcome: 'service',
    code: null,
    because: 'Copy and Encrypt without a key takes the service key of the destination region',
    place: 'Image encryption results: Yes, any image copied and encrypted across regions',
  },
  {
    where: { ...CROSS, default: ON, key: NO_KEY },
    outcome: 'default',
    code: null,
    because: 'Copy and Encrypt without a key takes the default key of the destination region',
    place: 'Image encryption results: Yes, any image copied and encrypted across regions',
  },
  {
    where: { ...CROSS, key: KEY },
    outcome: 'specified',
    code: null,
    because: 'a specified key goes before all others',
    place: 'Image encryption results: Yes, any image copied and encrypted across regions',
  },
];
