/**
 * The cells of the encryption tables: what can be asked, and the shape of the rows that answer.
 * Pure.
 *
 * A cell is one result of the three tables of "Account-level EBS Default Encryption": what is made,
 * how, of what, whether encryption is selected, whether default encryption is on, and whether a key
 * is specified. There are 152, and every rule set answers them all:
 *
 *   disk            create      2 encrypt x 5 sources x 2 default x 2 key   40
 *   snapshot, image create      2 sources x 2 default x 2 key                8 each
 *                   copy-cross  2 encrypt x 4 sources x 2 default x 2 key   32 each
 *                   copy-local  4 sources x 2 default x 2 key               16 each
 *
 * A plain copy within a region is no cell: request-rules.ts refuses it before the table is asked.
 */
import type { ErrorCode } from '../../base/errors.ts';
import type { Pattern, Provenance } from './pattern.ts';

export const RULE_SETS = ['2018', '2020', '2025'] as const;
/** A generation of the product, named by the year of the document its rules come from. */
export type RuleSet = (typeof RULE_SETS)[number];

export const RESOURCES = ['disk', 'snapshot', 'image'] as const;
export type Resource = (typeof RESOURCES)[number];

export const ACTIONS = ['create', 'copy-local', 'copy-cross'] as const;
/** copy-local: within a region. copy-cross: to another region. */
export type Action = (typeof ACTIONS)[number];

export const SOURCES = ['empty', 'plain', 'encrypted', 'shared-plain', 'shared-encrypted'] as const;
/** What it is made of; shared: by another account. A snapshot is made of a disk of one's own. */
export type Source = (typeof SOURCES)[number];

/**
 * none: not encrypted. na: refused. The others are encrypted, by the key of that name: default is
 * the account's for the (destination) region, service its service key, alias acs/ecs.
 */
export type Outcome = 'none' | 'na' | 'default' | 'source' | 'specified' | 'service';

export interface Cell {
  readonly resource: Resource;
  readonly action: Action;
  readonly source: Source;
  /** Encryption is selected; null where there is no choice: creating a snapshot or an image. */
  readonly encrypt: boolean | null;
  /** Account-level default encryption is on in the (destination) region. */
  readonly default: boolean;
  /** A key is specified. */
  readonly key: boolean;
}

/** A row as the files of the rule sets write it. */
export interface RowDraft {
  readonly where: Pattern<Cell>;
  readonly outcome: Outcome;
  /** What a refusal answers with; null unless the outcome is na. */
  readonly code: ErrorCode | null;
  readonly because: string;
  /** The table row, or the part of the document. */
  readonly place: string;
}

export interface EncryptionRow extends RowDraft, Provenance {
  readonly ruleSet: RuleSet;
}

const OWN_SOURCES: readonly Source[] = ['plain', 'encrypted'];
const COPY_SOURCES: readonly Source[] = ['plain', 'encrypted', 'shared-plain', 'shared-encrypted'];
const EITHER: readonly boolean[] = [false, true];

interface CellShape {
  readonly resource: Resource;
  readonly action: Action;
  readonly encrypts: readonly (boolean | null)[];
  readonly sources: readonly Source[];
}

/** What the documents' tables have rows for, in their order. */
const SHAPES: readonly CellShape[] = [
  { resource: 'disk', action: 'create', encrypts: EITHER, sources: SOURCES },
  { resource: 'snapshot', action: 'create', encrypts: [null], sources: OWN_SOURCES },
  { resource: 'snapshot', action: 'copy-cross', encrypts: EITHER, sources: COPY_SOURCES },
  { resource: 'snapshot', action: 'copy-local', encrypts: [true], sources: COPY_SOURCES },
  { resource: 'image', action: 'create', encrypts: [null], sources: OWN_SOURCES },
  { resource: 'image', action: 'copy-cross', encrypts: EITHER, sources: COPY_SOURCES },
  { resource: 'image', action: 'copy-local', encrypts: [true], sources: COPY_SOURCES },
];

/** Every cell, in the order of the documents. */
export const CELLS: readonly Cell[] = SHAPES.flatMap(({ resource, action, encrypts, sources }) =>
  encrypts.flatMap((encrypt) =>
    sources.flatMap((source) =>
      EITHER.flatMap((isDefault) =>
        EITHER.map((key) => ({ resource, action, source, encrypt, default: isDefault, key })),
      ),
    ),
  ),
);

/** True if the tables speak of this resource made this way of this source. */
export function isAsked(resource: Resource, action: Action, source: Source): boolean {
  return SHAPES.some(
    (shape) =>
      shape.resource === resource && shape.action === action && shape.sources.includes(source),
  );
}
