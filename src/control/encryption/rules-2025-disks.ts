/**
 * DATA: rule set 2025, the 40 cells of the table "Disk encryption results". Pure.
 *
 * `place` names the table's row: what its first column says, then its second. Where the table says
 * the same with default encryption off and on, one row says it once.
 */
import type { RowDraft } from './cells.ts';

const NO = { resource: ['disk'], encrypt: [false] } as const;
const YES = { resource: ['disk'], encrypt: [true] } as const;
const OFF = [false];
const ON = [true];
const NO_KEY = [false];
const KEY = [true];

const NOT_SELECTED = 'encryption is not selected, and default encryption is off';
const FORCED = 'default encryption is on: the disk is encrypted without being asked to be';
const NO_KEY_OFF =
  'without a specified key, and with default encryption off, the service key is used';
const NO_KEY_ON = 'without a specified key, the default key goes before the service key';
const SPECIFIED = 'a specified key goes before all others';

export const DISK_ROWS_2025: readonly RowDraft[] = [
  {
    where: { ...NO, key: KEY },
    outcome: 'na',
    code: 'InvalidParameter.EncryptedIllegal',
    because: 'a key is specified, but encryption is not selected',
    place: 'Disk encryption results: No, all sources',
  },
  {
    where: { ...NO, source: ['empty'], default: OFF, key: NO_KEY },
    outcome: 'none',
    code: null,
    because: NOT_SELECTED,
    place: 'Disk encryption results: No, new empty disk',
  },
  {
    where: { ...NO, source: ['empty'], default: ON, key: NO_KEY },
    outcome: 'default',
    code: null,
    because: FORCED,
    place: 'Disk encryption results: No, new empty disk',
  },
  {
    where: { ...NO, source: ['plain'], default: OFF, key: NO_KEY },
    outcome: 'none',
    code: null,
    because: NOT_SELECTED,
    place: 'Disk encryption results: No, non-encrypted snapshot or image',
  },
  {
    where: { ...NO, source: ['plain'], default: ON, key: NO_KEY },
    outcome: 'default',
    code: null,
    because: FORCED,
    place: 'Disk encryption results: No, non-encrypted snapshot or image',
  },
  {
    where: { ...NO, source: ['encrypted'], key: NO_KEY },
    outcome: 'source',
    code: null,
    because: 'a disk made from what is encrypted is encrypted, by the same key',
    place: 'Disk encryption results: No, encrypted snapshot or image',
  },
  {
    where: { ...NO, source: ['shared-plain'], default: OFF, key: NO_KEY },
    outcome: 'none',
    code: null,
    because: NOT_SELECTED,
    place: 'Disk encryption results: No, shared non-encrypted snapshot or image',
  },
  {
    where: { ...NO, source: ['shared-plain'], default: ON, key: NO_KEY },
    outcome: 'default',
    code: null,
    because: FORCED,
    place: 'Disk encryption results: No, shared non-encrypted snapshot or image',
  },
  {
    where: { ...NO, source: ['shared-encrypted'], default: OFF, key: NO_KEY },
    outcome: 'service',
    code: null,
    because: "what is encrypted stays so, and a shared source's key must be changed",
    place: 'Disk encryption results: No, shared encrypted snapshot or image',
  },
  {
    where: { ...NO, source: ['shared-encrypted'], default: ON, key: NO_KEY },
    outcome: 'default',
    code: null,
    because: "a shared source's key must be changed, and default encryption is on",
    place: 'Disk encryption results: No, shared encrypted snapshot or image',
  },
  {
    where: { ...YES, source: ['empty'], default: OFF, key: NO_KEY },
    outcome: 'service',
    code: null,
    because: NO_KEY_OFF,
    place: 'Disk encryption results: Yes, new empty disk',
  },
  {
    where: { ...YES, source: ['empty'], default: ON, key: NO_KEY },
    outcome: 'default',
    code: null,
    because: NO_KEY_ON,
    place: 'Disk encryption results: Yes, new empty disk',
  },
  {
    where: { ...YES, source: ['empty'], key: KEY },
    outcome: 'specified',
    code: null,
    because: SPECIFIED,
    place: 'Disk encryption results: Yes, new empty disk',
  },
  {
    where: { ...YES, source: ['plain'], default: OFF, key: NO_KEY },
    outcome: 'service',
    code: null,
    because: NO_KEY_OFF,
    place: 'Disk encryption results: Yes, non-encrypted snapshot or image',
  },
  {
    where: { ...YES, source: ['plain'], default: ON, key: NO_KEY },
    outcome: 'default',
    code: null,
    because: NO_KEY_ON,
    place: 'Disk encryption results: Yes, non-encrypted snapshot or image',
  },
  {
    where: { ...YES, source: ['plain'], key: KEY },
    outcome: 'specified',
    code: null,
    because: SPECIFIED,
    place: 'Disk encryption results: Yes, non-encrypted snapshot or image',
  },
  {
    where: { ...YES, source: ['encrypted'], key: NO_KEY },
    outcome: 'source',
    code: null,
    because: "without a specified key, the source's key goes before the default and service keys",
    place: 'Disk encryption results: Yes, encrypted snapshot or image',
  },
  {
    where: { ...YES, source: ['encrypted'], key: KEY },
    outcome: 'specified',
    code: null,
    because: "a specified key goes before the source's: the data is encrypted anew",
    place: 'Disk encryption results: Yes, encrypted snapshot or image',
  },
  {
    where: { ...YES, source: ['shared-plain'], default: OFF, key: NO_KEY },
    outcome: 'service',
    code: null,
    because: NO_KEY_OFF,
    place: 'Disk encryption results: Yes, shared non-encrypted snapshot or image',
  },
  {
    where: { ...YES, source: ['shared-plain'], default: ON, key: NO_KEY },
    outcome: 'default',
    code: null,
    because: NO_KEY_ON,
    place: 'Disk encryption results: Yes, shared non-encrypted snapshot or image',
  },
  {
    where: { ...YES, source: ['shared-plain'], key: KEY },
    outcome: 'specified',
    code: null,
    because: SPECIFIED,
    place: 'Disk encryption results: Yes, shared non-encrypted snapshot or image',
  },
  {
    where: { ...YES, source: ['shared-encrypted'], default: OFF, key: NO_KEY },
    outcome: 'service',
    code: null,
    because: "a shared source's key must be changed, and no other key is given",
    place: 'Disk encryption results: Yes, shared encrypted snapshot or image',
  },
  {
    where: { ...YES, source: ['shared-encrypted'], default: ON, key: NO_KEY },
    outcome: 'default',
    code: null,
    because: "a shared source's key must be changed, and default encryption is on",
    place: 'Disk encryption results: Yes, shared encrypted snapshot or image',
  },
  {
    where: { ...YES, source: ['shared-encrypted'], key: KEY },
    outcome: 'specified',
    code: null,
    because: "a shared source's key must be changed, and the specified one goes before all others",
    place: 'Disk encryption results: Yes, shared encrypted snapshot or image',
  },
];
