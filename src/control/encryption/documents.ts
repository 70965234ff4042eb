/**
 * DATA: the documents the encryption tables come from, and which generation of the product each
 * rule set is. Pure.
 *
 * The three documents contradict each other, because the product changed between them. So a rule
 * set is what one document says, and nothing else: what it does not speak of is refused, by a row
 * that says so.
 */
import type { ErrorCode } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import type { RuleSet } from './cells.ts';
import type { Provenance } from './pattern.ts';

export interface RuleSetRow extends Provenance {
  readonly ruleSet: RuleSet;
  readonly hasDefaultEncryption: boolean;
  /** What the operations on default encryption are refused with; null if there is such a thing. */
  readonly code: ErrorCode | null;
}

export const RULE_SET_ROWS: readonly RuleSetRow[] = [
  {
    ruleSet: '2018',
    hasDefaultEncryption: false,
    code: 'Abs.InvalidAction.RegionNotSupport',
    because: 'the document does not speak of account-level default encryption',
    document: 'ECS disk encryption (2018)',
    place: 'nowhere',
  },
  {
    ruleSet: '2020',
    hasDefaultEncryption: false,
    code: 'Abs.InvalidAction.RegionNotSupport',
    because: 'the document does not speak of account-level default encryption',
    document: 'ECS encryption overview (2020)',
    place: 'nowhere',
  },
  {
    ruleSet: '2025',
    hasDefaultEncryption: true,
    code: null,
    because: 'default encryption is enabled by region',
    document: 'Account-level EBS Default Encryption (2025)',
    place: 'Enable the Account-level EBS Default Encryption feature',
  },
];

/** Documents that rows of every generation come from. */
export const API_DOCUMENT = 'ECS API reference (2026)';
export const OVERVIEW_DOCUMENT = 'ECS disk encryption overview (2026)';

export function ruleSetRow(ruleSet: RuleSet): RuleSetRow {
  const row = RULE_SET_ROWS.find((each) => each.ruleSet === ruleSet);
  invariant(row !== undefined, `there is a rule set ${ruleSet}`);
  return row;
}

/** The title of the document a rule set comes from. */
export function documentOf(ruleSet: RuleSet): string {
  return ruleSetRow(ruleSet).document;
}
