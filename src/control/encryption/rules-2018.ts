/**
 * DATA: rule set 2018, "ECS disk encryption": only data disks, only the service key, and nothing
 * converts. Pure.
 *
 * The document has no table: its sentences are read onto the same 152 cells. A disk made from an
 * encrypted snapshot is encrypted whether or not encryption is selected. That what is encrypted
 * cannot be shared or copied across regions says that what is not can be.
 */
import type { EncryptionRow, RowDraft } from './cells.ts';
import { documentOf } from './documents.ts';

const DISK = { resource: ['disk'], default: [false], key: [false] } as const;
const SNAPSHOT = { resource: ['snapshot'], default: [false], key: [false] } as const;
const IMAGE = { resource: ['image'], default: [false], key: [false] } as const;
const COPIES = ['copy-cross', 'copy-local'] as const;
const ANY_PLAIN = ['plain', 'shared-plain'] as const;

const ALL_ROWS: readonly RowDraft[] = [
  {
    where: { default: [true] },
    outcome: 'na',
    code: 'Abs.InvalidAction.RegionNotSupport',
    because: 'the document does not speak of account-level default encryption',
    place: 'nowhere',
  },
  {
    where: { default: [false], key: [true] },
    outcome: 'na',
    code: 'UnsupportedParameter',
    because: 'master keys are made by the system, one in each region; none can be chosen',
    place: 'Limits: no CMKs can be defined',
  },
];

const DISK_ROWS: readonly RowDraft[] = [
  {
    where: { ...DISK, source: ['empty'], encrypt: [false] },
    outcome: 'none',
    code: null,
    because: 'encryption is not selected',
    place: 'Create an encrypted ECS disk',
  },
  {
    where: { ...DISK, source: ['empty'], encrypt: [true] },
    outcome: 'service',
    code: null,
    because: "every key is derived from the region's own master key, the service key",
    place: 'Create an encrypted ECS disk: Encrypted is checked',
  },
  {
    where: { ...DISK, source: ANY_PLAIN, encrypt: [false] },
    outcome: 'none',
    code: null,
    because: 'the source is not encrypted, and encryption is not selected',
    place: 'Convert unencrypted data to encrypted data',
  },
  {
    where: { ...DISK, source: ANY_PLAIN, encrypt: [true] },
    outcome: 'na',
    code: 'InvalidParameter.EncryptedNotMatch',
    because: 'what is made of an unencrypted disk cannot be converted to encrypted',
    place: 'Limits: unencrypted snapshots cannot be converted',
  },
  {
    where: { ...DISK, source: ['encrypted'] },
    outcome: 'source',
    code: null,
    because: 'disks made from an encrypted snapshot are encrypted, and keep its key',
    place: 'Key management for ECS disk encryption',
  },
  {
    where: { ...DISK, source: ['shared-encrypted'] },
    outcome: 'na',
    code: 'NotSupportSnapshotEncrypted.ShareImage',
    because: 'images made from encrypted snapshots cannot be shared',
    place: 'Limits: images from encrypted snapshots cannot be shared',
  },
];

const SNAPSHOT_ROWS: readonly RowDraft[] = [
  {
    where: { ...SNAPSHOT, action: ['create'], source: ['plain'] },
    outcome: 'none',
    code: null,
    because: 'a snapshot of an unencrypted disk cannot be made an encrypted one',
    place: 'Convert unencrypted data to encrypted data',
  },
  {
    where: { ...SNAPSHOT, action: ['create'], source: ['encrypted'] },
    outcome: 'source',
    code: null,
    because: 'the key of a disk is also that of all its snapshots',
    place: 'Key management for ECS disk encryption',
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
    where: { ...IMAGE, action: ['create'], source: ['plain'] },
    outcome: 'none',
    code: null,
    because: 'an image of unencrypted snapshots is not encrypted',
    place: 'Convert unencrypted data to encrypted data',
  },
  {
    where: { ...IMAGE, action: ['create'], source: ['encrypted'] },
    outcome: 'source',
    code: null,
    because: 'an image made from encrypted snapshots is encrypted as they are',
    place: 'Limits: images created from encrypted snapshots',
  },
  {
    where: { ...IMAGE, action: ['copy-cross'], source: ['plain'], encrypt: [false] },
    outcome: 'none',
    code: null,
    because: 'only images made from encrypted snapshots cannot be copied across regions',
    place: 'Limits: images from encrypted snapshots cannot be copied across regions',
  },
  {
    where: { ...IMAGE, action: COPIES, source: ['plain'], encrypt: [true] },
    outcome: 'na',
    code: 'InvalidParameter.EncryptedNotMatch',
    because: 'unencrypted snapshots cannot be converted to encrypted ones, nor images of them',
    place: 'Limits: unencrypted snapshots cannot be converted',
  },
  {
    where: { ...IMAGE, action: ['copy-cross'], source: ['encrypted'] },
    outcome: 'na',
    code: 'OperationDenied.EncryptSnapshotAcrossRegion',
    because: 'images made from encrypted snapshots cannot be copied across regions',
    place: 'Limits: images from encrypted snapshots cannot be copied across regions',
  },
  {
    where: { ...IMAGE, action: ['copy-local'], source: ['encrypted'] },
    outcome: 'na',
    code: 'UnsupportedOperation',
    because: 'the document does not speak of copying an image within a region',
    place: 'nowhere',
  },
  {
    where: { ...IMAGE, action: COPIES, source: ['shared-plain'] },
    outcome: 'na',
    code: 'UnsupportedOperation',
    because: "the document does not speak of copying another account's image",
    place: 'nowhere',
  },
  {
    where: { ...IMAGE, action: COPIES, source: ['shared-encrypted'] },
    outcome: 'na',
    code: 'OperationDeined.EncryptedSnapshot',
    because: 'images made from encrypted snapshots cannot be shared',
    place: 'Limits: images from encrypted snapshots cannot be shared',
  },
];

const IN_2018 = { ruleSet: '2018', document: documentOf('2018') } as const;

export const RULES_2018: readonly EncryptionRow[] = [
  ...ALL_ROWS,
  ...DISK_ROWS,
  ...SNAPSHOT_ROWS,
  ...IMAGE_ROWS,
].map((draft) => ({ ...IN_2018, ...draft }));
