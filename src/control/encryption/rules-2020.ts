/**
 * DATA: rule set 2020, "ECS encryption overview" (in Chinese): system disks too, by copying a
 * custom image with encryption; keys of one's own beside the service key. Pure.
 *
 * The document has no table: its sentences are read onto the same 152 cells. An encrypted image is
 * neither made plain, nor shared, nor copied across regions, so one that is not encrypted is: also
 * with encryption, which the document asks no region for.
 */
import type { EncryptionRow, RowDraft } from './cells.ts';
import { documentOf } from './documents.ts';

const DISK = { resource: ['disk'], default: [false] } as const;
const SNAPSHOT = { resource: ['snapshot'], default: [false] } as const;
const IMAGE = { resource: ['image'], default: [false] } as const;
const COPIES = ['copy-cross', 'copy-local'] as const;
const ANY_PLAIN = ['plain', 'shared-plain'] as const;
const NO_KEY = [false];
const KEY = [true];

const ALL_ROWS: readonly RowDraft[] = [
  {
    where: { default: [true] },
    outcome: 'na',
    code: 'Abs.InvalidAction.RegionNotSupport',
    because: 'the document does not speak of account-level default encryption',
    place: 'nowhere',
  },
];

const DISK_ROWS: readonly RowDraft[] = [
  {
    where: {
      ...DISK,
      source: ['empty', 'plain', 'encrypted', 'shared-plain'],
      encrypt: [false],
      key: KEY,
    },
    outcome: 'na',
    code: 'InvalidParameter.EncryptedIllegal',
    because: 'a key is chosen when a disk is encrypted, and encryption is not selected',
    place: 'Keys: the CMK that is chosen when a disk is encrypted',
  },
  {
    where: { ...DISK, source: ['empty'], encrypt: [false], key: NO_KEY },
    outcome: 'none',
    code: null,
    because: 'encryption is not selected',
    place: 'Features: encrypted data disks',
  },
  {
    where: { ...DISK, source: ['empty'], encrypt: [true], key: NO_KEY },
    outcome: 'service',
    code: null,
    because: 'encryption uses the service key unless a key is chosen',
    place: 'Keys: the service key is the default',
  },
  {
    where: { ...DISK, source: ['empty'], encrypt: [true], key: KEY },
    outcome: 'specified',
    code: null,
    because: 'a key of the user may be chosen in place of the service key',
    place: 'Keys: keys chosen by the user',
  },
  {
    where: { ...DISK, source: ANY_PLAIN, encrypt: [false], key: NO_KEY },
    outcome: 'none',
    code: null,
    because: 'the source is not encrypted, and encryption is not selected',
    place: 'Limits: non-encrypted disks are not converted',
  },
  {
    where: { ...DISK, source: ANY_PLAIN, encrypt: [true] },
    outcome: 'na',
    code: 'InvalidParameter.EncryptedNotMatch',
    because: 'existing data is encrypted only by copying a custom image with encryption',
    place: 'Limits: encryption while a custom image is copied; no direct conversion',
  },
  {
    where: { ...DISK, source: ['encrypted'], key: NO_KEY },
    outcome: 'source',
    code: null,
    because: 'every disk made from an encrypted snapshot or image is encrypted as it is',
    place: 'Features: disks made from encrypted snapshots',
  },
  {
    where: { ...DISK, source: ['encrypted'], encrypt: [true], key: KEY },
    outcome: 'na',
    code: 'InvalidKmsKeyId.NotMatchSnapshot',
    because: 'the document does not speak of changing the key of an encrypted source',
    place: 'nowhere',
  },
  {
    where: { ...DISK, source: ['shared-encrypted'] },
    outcome: 'na',
    code: 'NotSupportSnapshotEncrypted.ShareImage',
    because: 'encrypted images cannot be shared',
    place: 'Limits: sharing encrypted images',
  },
];

const SNAPSHOT_ROWS: readonly RowDraft[] = [
  {
    where: { ...SNAPSHOT, action: ['create'], key: KEY },
    outcome: 'na',
    code: 'UnsupportedParameter',
    because: "a snapshot keeps its disk's key, there is none to choose",
    place: 'Features: snapshots of encrypted disks',
  },
  {
    where: { ...SNAPSHOT, action: ['create'], source: ['plain'], key: NO_KEY },
    outcome: 'none',
    code: null,
    because: 'only snapshots of encrypted disks are encrypted',
    place: 'Features: snapshots of encrypted disks',
  },
  {
    where: { ...SNAPSHOT, action: ['create'], source: ['encrypted'], key: NO_KEY },
    outcome: 'source',
    code: null,
    because: "a snapshot's key is that of its disk",
    place: 'Features: snapshots of encrypted disks',
  },
  {
    where: { ...SNAPSHOT, action: COPIES },
    outcome: 'na',
    code: 'UnsupportedOperation',
    because: 'the document does not speak of copying snapshots',
    place: 'nowhere',
  },
];

const IMAGE_ROWS: readonly RowDraft[] = [
  {
    where: { ...IMAGE, action: ['create'], key: KEY },
    outcome: 'na',
    code: 'UnsupportedParameter',
    because: "an image keeps its disks' keys, there is none to choose",
    place: 'Features: snapshots of encrypted disks',
  },
  {
    where: { ...IMAGE, action: ['create'], source: ['plain'], key: NO_KEY },
    outcome: 'none',
    code: null,
    because: 'only what is made of encrypted disks is encrypted',
    place: 'Features: snapshots of encrypted disks',
  },
  {
    where: { ...IMAGE, action: ['create'], source: ['encrypted'], key: NO_KEY },
    outcome: 'source',
    code: null,
    because: "an image is made of snapshots, and a snapshot's key is that of its disk",
    place: 'Features: snapshots of encrypted disks',
  },
  {
    where: { ...IMAGE, action: COPIES, source: ['plain'], encrypt: [true], key: NO_KEY },
    outcome: 'service',
    code: null,
    because:
      'a custom image is encrypted while it is copied, by the service key unless one is chosen',
    place: 'Limits: encryption while a custom image is copied',
  },
  {
    where: { ...IMAGE, action: COPIES, source: ['plain'], encrypt: [true], key: KEY },
    outcome: 'specified',
    code: null,
    because: 'a custom image is encrypted while it is copied, by the key that is chosen',
    place: 'Limits: encryption while a custom image is copied',
  },
  {
    where: { ...IMAGE, action: ['copy-cross'], source: ['plain'], encrypt: [false], key: NO_KEY },
    outcome: 'none',
    code: null,
    because: 'only encrypted images cannot be copied across regions',
    place: 'Limits: copying encrypted images across regions',
  },
  {
    where: { ...IMAGE, action: ['copy-cross'], source: ['plain'], encrypt: [false], key: KEY },
    outcome: 'na',
    code: 'InvalidParameter.EncryptedIllegal',
    because: 'a key is chosen when an image is encrypted, and encryption is not selected',
    place: 'Keys: the CMK that is chosen when a disk is encrypted',
  },
  {
    where: { ...IMAGE, action: ['copy-cross'], source: ['encrypted'] },
    outcome: 'na',
    code: 'OperationDenied.EncryptSnapshotAcrossRegion',
    because: 'encrypted images cannot be copied across regions',
    place: 'Limits: copying encrypted images across regions',
  },
  {
    where: { ...IMAGE, action: ['copy-local'], source: ['encrypted'] },
    outcome: 'na',
    code: 'UnsupportedOperation',
    because: 'the document does not speak of copying an encrypted image within a region',
    place: 'nowhere',
  },
  {
    where: { ...IMAGE, action: COPIES, source: ['shared-plain'] },
    outcome: 'na',
    code: 'UnsupportedOperation',
    because: "the document speaks of copying custom images, not another account's",
    place: 'Limits: encryption while a custom image is copied',
  },
  {
    where: { ...IMAGE, action: COPIES, source: ['shared-encrypted'] },
    outcome: 'na',
    code: 'OperationDeined.EncryptedSnapshot',
    because: 'encrypted images cannot be shared',
    place: 'Limits: sharing encrypted images',
  },
];

const IN_2020 = { ruleSet: '2020', document: documentOf('2020') } as const;

export const RULES_2020: readonly EncryptionRow[] = [
  ...ALL_ROWS,
  ...DISK_ROWS,
  ...SNAPSHOT_ROWS,
  ...IMAGE_ROWS,
].map((draft) => ({ ...IN_2020, ...draft }));
