/**
 * DATA: the keys an encrypted thing could get, in the order in which they are taken, and when one
 * of them is not there to be taken. Pure.
 *
 * The tables decide. These rows explain them: in every cell that encrypts, the first key of the
 * order that is there is the table's outcome (tested).
 */
import type { Cell } from './cells.ts';
import { documentOf } from './documents.ts';
import type { Pattern, Provenance } from './pattern.ts';

export type KeyKind = 'specified' | 'source' | 'default' | 'service';

export interface PriorityRow extends Provenance {
  readonly kind: KeyKind;
  /** What people call it. */
  readonly name: string;
}

const IN_2025 = {
  document: documentOf('2025'),
  place: 'Encryption results: the order of priority',
} as const;

/** First goes before all others. */
export const PRIORITIES: readonly PriorityRow[] = [
  {
    kind: 'specified',
    name: 'the specified key',
    because: 'a specified key goes before all others',
    ...IN_2025,
  },
  {
    kind: 'source',
    name: "the source's key",
    because: 'the key of the source goes before the default key and the service key',
    ...IN_2025,
  },
  {
    kind: 'default',
    name: 'the default key',
    because: 'the default key of the region goes before the service key',
    ...IN_2025,
  },
  {
    kind: 'service',
    name: 'the service key',
    because: 'the service key is taken where there is no other',
    ...IN_2025,
  },
];

export interface AbsenceRow extends Provenance {
  readonly kind: KeyKind;
  readonly where: Pattern<Cell>;
}

/** When a key cannot be taken. At most one row for each kind and cell. */
export const ABSENCES: readonly AbsenceRow[] = [
  {
    kind: 'specified',
    where: { key: [false] },
    because: 'no key is specified',
    ...IN_2025,
  },
  {
    kind: 'source',
    where: { source: ['empty'] },
    because: 'there is no source',
    ...IN_2025,
  },
  {
    kind: 'source',
    where: { source: ['plain', 'shared-plain'] },
    because: 'the source is not encrypted',
    ...IN_2025,
  },
  {
    kind: 'source',
    where: { source: ['encrypted', 'shared-encrypted'], action: ['copy-local', 'copy-cross'] },
    because: "Copy and Encrypt never keeps the source's key",
    document: documentOf('2025'),
    place: 'Snapshot and Image encryption results: Yes',
  },
  {
    kind: 'source',
    where: { source: ['shared-encrypted'], action: ['create'] },
    because: 'the key of a shared source must be changed',
    document: documentOf('2025'),
    place: 'Disk encryption results: shared encrypted snapshot or image',
  },
  {
    kind: 'default',
    where: { default: [false] },
    because: 'default encryption is off in the region',
    ...IN_2025,
  },
  {
    kind: 'default',
    where: { default: [true], resource: ['snapshot', 'image'], action: ['create'] },
    because: 'default encryption is about disks and copies, not about making snapshots and images',
    document: documentOf('2025'),
    place: 'Snapshot and Image encryption results: N/A',
  },
];
