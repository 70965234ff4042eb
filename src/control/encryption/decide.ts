/**
 * The decision: is it encrypted, by which key, and why. Pure: a question in, an answer out, no
 * context, no time, no ids. Verbs ask before they act, `explain` asks for people.
 *
 * The tables are asked in this order, and the first that refuses answers:
 *   1. request-rules.ts: the parameters name a cell of the table
 *   2. rules-<year>.ts: the cell's row
 *   3. request-rules.ts: an explicit Encrypted=false is not overruled
 *   4. the key of a shared source must be another one
 *   5. categories.ts: the disk's category can be encrypted
 *
 * Invariant: the outcome is 'na' if and only if there is a refusal.
 */
import { type ErrorCode, PlaneError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import { categoryRow, type DiskCategory, originOf } from './categories.ts';
import type { Action, Cell, EncryptionRow, Outcome, Resource, RuleSet, Source } from './cells.ts';
import { isAsked } from './cells.ts';
import { API_DOCUMENT } from './documents.ts';
import { matches, type Provenance, rowFor } from './pattern.ts';
import { ABSENCES, type KeyKind, PRIORITIES } from './priorities.ts';
import {
  type EncryptedParameter,
  EXPLICIT_FALSE_ROWS,
  REQUEST_ROWS,
  type RequestRow,
} from './request-rules.ts';
import { RULES_2018 } from './rules-2018.ts';
import { RULES_2020 } from './rules-2020.ts';
import { RULES_2025 } from './rules-2025.ts';

/** What is asked. */
export interface EncryptionQuestion {
  readonly ruleSet: RuleSet;
  readonly resource: Resource;
  readonly action: Action;
  readonly source: Source;
  /** The parameter Encrypted. */
  readonly encrypted: EncryptedParameter;
  /** Account-level default encryption is on in the (destination) region. */
  readonly default: boolean;
  /** A key is specified. */
  readonly key: boolean;
  /** The specified key is the one the source is encrypted under. @default false */
  readonly isSourceKey?: boolean;
  /** The disk that is made. Absent: its category is not asked about. */
  readonly disk?: { readonly category: DiskCategory; readonly use: 'system' | 'data' };
}

export interface Refusal extends Provenance {
  readonly code: ErrorCode;
}

/** A key that could have been taken, and what became of it. */
export interface KeyCandidate {
  readonly kind: KeyKind;
  /** absent: it was not there to be taken. unused: none is taken. */
  readonly fate: 'taken' | 'beaten' | 'absent' | 'unused';
  readonly why: string;
}

export interface Decision {
  readonly question: EncryptionQuestion;
  /** null: the request is refused before it names a cell. */
  readonly cell: Cell | null;
  /** The row of the table that decided. It says what it says even if something else refused. */
  readonly row: EncryptionRow | null;
  readonly outcome: Outcome;
  readonly refusal: Refusal | null;
  /** In the order of priority. */
  readonly candidates: readonly KeyCandidate[];
}

const RULES: Readonly<Record<RuleSet, readonly EncryptionRow[]>> = {
  '2018': RULES_2018,
  '2020': RULES_2020,
  '2025': RULES_2025,
};

/** The rows of a rule set. */
export function rulesOf(ruleSet: RuleSet): readonly EncryptionRow[] {
  return RULES[ruleSet];
}

/** The row of a rule set for a cell. */
export function encryptionRow(ruleSet: RuleSet, cell: Cell): EncryptionRow {
  return rowFor(rulesOf(ruleSet), cell);
}

/**
 * Decides. Never throws for a refusal: the decision has it.
 *
 * @param question resource, action and source must go together (isAsked)
 */
export function decideEncryption(question: EncryptionQuestion): Decision {
  const { resource, action, source, encrypted } = question;
  invariant(
    isAsked(resource, action, source),
    `${action} of a ${source} ${resource} is asked about`,
  );
  const request = rowFor(REQUEST_ROWS, { resource, action, encrypted });
  if (request.code !== null) return refusedAtOnce(question, request);
  const { default: isDefault, key } = question;
  const cell = { resource, action, source, encrypt: request.encrypt, default: isDefault, key };
  const row = encryptionRow(question.ruleSet, cell);
  const refusal = refusalOf(question, row);
  const outcome = refusal === null ? row.outcome : 'na';
  invariant((outcome === 'na') === (refusal !== null), 'what is na is refused');
  return { question, cell, row, outcome, refusal, candidates: candidatesOf(cell, outcome) };
}

/**
 * The outcome of a decision that was granted.
 *
 * @param what the ids it is about, for the message of a refusal
 * @throws PlaneError the code of the refusal, and why
 */
export function grantedOutcome(decision: Decision, what: string): Exclude<Outcome, 'na'> {
  const { outcome, refusal } = decision;
  if (refusal !== null) throw new PlaneError(refusal.code, `${what}: ${refusal.because}`);
  invariant(outcome !== 'na', 'what is not refused is not na');
  return outcome;
}

function refusedAtOnce(question: EncryptionQuestion, request: RequestRow): Decision {
  return {
    question,
    cell: null,
    row: null,
    outcome: 'na',
    refusal: refusalBy(request),
    candidates: PRIORITIES.map(({ kind }) => ({ kind, fate: 'unused', why: REFUSED })),
  };
}

function refusalOf(question: EncryptionQuestion, row: EncryptionRow): Refusal | null {
  return (
    refusalBy(row) ??
    explicitFalseRefusal(question, row.outcome) ??
    sharedKeyRefusal(question) ??
    categoryRefusal(question, row.outcome)
  );
}

function refusalBy(row: Provenance & { readonly code: ErrorCode | null }): Refusal | null {
  const { code, because, document, place } = row;
  return code === null ? null : { code, because, document, place };
}

function explicitFalseRefusal(question: EncryptionQuestion, outcome: Outcome): Refusal | null {
  if (question.encrypted !== 'false') return null;
  return refusalBy(rowFor(EXPLICIT_FALSE_ROWS, { source: question.source, outcome }));
}

/** A row of its own: it is about two keys' identity, which no cell knows. */
const SHARED_KEY_ROW: Refusal = {
  code: 'InvalidParam.EncryptedMismatch',
  because: 'what is made of a shared encrypted source must be under another key than the source',
  document: API_DOCUMENT,
  place: 'CreateDisk, InvalidParam.EncryptedMismatch',
};

function sharedKeyRefusal(question: EncryptionQuestion): Refusal | null {
  const isSame = question.key && question.isSourceKey === true;
  return isSame && question.source === 'shared-encrypted' ? SHARED_KEY_ROW : null;
}

function categoryRefusal(question: EncryptionQuestion, outcome: Outcome): Refusal | null {
  const { ruleSet, disk, source } = question;
  if (disk === undefined || outcome === 'none') return null;
  const { category, use } = disk;
  const origin = originOf(source);
  return refusalBy(categoryRow({ ruleSet, category, use, origin, default: question.default }));
}

const REFUSED = 'the call is refused';

function candidatesOf(cell: Cell, outcome: Outcome): KeyCandidate[] {
  return PRIORITIES.map(({ kind, because }) => {
    if (kind === outcome) return { kind, fate: 'taken', why: because };
    const absence = ABSENCES.find((row) => row.kind === kind && matches(row.where, cell));
    if (absence !== undefined) return { kind, fate: 'absent', why: absence.because };
    if (outcome === 'na') return { kind, fate: 'unused', why: REFUSED };
    if (outcome === 'none') return { kind, fate: 'unused', why: 'nothing is encrypted' };
    const winner = PRIORITIES.find((row) => row.kind === outcome);
    invariant(winner !== undefined, `the outcome ${outcome} is a key`);
    return { kind, fate: 'beaten', why: winner.because };
  });
}
