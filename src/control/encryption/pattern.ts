/**
 * How rows of the encryption tables say what they are about: a pattern lists the values a field may
 * have; a field that is not listed may have any. Pure.
 *
 * Hit policy of every table here: unique. One row for each subject (tested over the product).
 */
import { invariant } from '../../base/invariant.ts';

export type Pattern<Subject> = { readonly [Field in keyof Subject]?: readonly Subject[Field][] };

/** Where a row comes from, and why it says what it says. */
export interface Provenance {
  readonly because: string;
  /** The document the row comes from. */
  readonly document: string;
  /** The table row, or the part of the document. */
  readonly place: string;
}

/** True if every field the pattern lists has one of its values. */
export function matches<Subject extends object>(
  where: Pattern<Subject>,
  subject: Subject,
): boolean {
  const fields = Object.keys(where) as (keyof Subject)[];
  return fields.every((field) => where[field]?.includes(subject[field]) ?? true);
}

/** The one row for a subject. */
export function rowFor<Subject extends object, Row extends { readonly where: Pattern<Subject> }>(
  rows: readonly Row[],
  subject: Subject,
): Row {
  const [row, ...others] = rows.filter((each) => matches(each.where, subject));
  invariant(row !== undefined, `a row of the table is about ${JSON.stringify(subject)}`);
  invariant(others.length === 0, `only one row of the table is about ${JSON.stringify(subject)}`);
  return row;
}
