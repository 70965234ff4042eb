/**
 * The encryption tables and decisions, for people and programs to read. Pure.
 *
 * What is printed is what is asked: no text here knows a rule.
 */
import { PlaneError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import { CELLS, type Cell, type EncryptionRow, isAsked, type RuleSet } from './cells.ts';
import {
  type Decision,
  decideEncryption,
  type EncryptionQuestion,
  encryptionRow,
} from './decide.ts';
import { PRIORITIES } from './priorities.ts';

/** A cell of a rule set's tables and the row that answers it. */
export interface TableEntry extends Cell, Omit<EncryptionRow, 'where'> {}

/**
 * Every cell of a rule set, 152 of them, in the order of the documents.
 *
 * @param ruleSet @default '2025'
 */
export function explainTable(ruleSet: RuleSet = '2025'): TableEntry[] {
  return CELLS.map((cell) => entryOf(cell, encryptionRow(ruleSet, cell)));
}

export interface EncryptionExplanation {
  readonly decision: Decision;
  /** The cell of the table that decided; null if the call is refused before one is named. */
  readonly entry: TableEntry | null;
  /** For people: one statement a line. */
  readonly lines: readonly string[];
}

/**
 * Which key, and why: what a call with these parameters would be answered.
 *
 * @throws PlaneError InvalidArgument: no table speaks of that resource made that way of that source
 */
export function explainEncryption(question: EncryptionQuestion): EncryptionExplanation {
  const { resource, action, source } = question;
  if (!isAsked(resource, action, source)) {
    throw new PlaneError(
      'InvalidArgument',
      `the tables do not speak of ${resource} ${action} with source ${source}`,
    );
  }
  const decision = decideEncryption(question);
  const { cell, row } = decision;
  const entry = cell === null || row === null ? null : entryOf(cell, row);
  return { decision, entry, lines: explainDecision(decision) };
}

/** A decision in words: the question, the answer, the row that decided, the keys it beat. */
function explainDecision(decision: Decision): string[] {
  const { outcome, refusal, row, candidates } = decision;
  const provenance = refusal ?? row;
  invariant(provenance !== null, 'a decision is a refusal or has a row');
  const lines = [
    inWords(decision.question),
    refusal === null ? outcomeInWords(outcome) : `refused: ${refusal.code}`,
    `  because   ${provenance.because}`,
  ];
  if (row !== null && row.outcome !== outcome) {
    lines.push(`  table     ${row.outcome}: ${row.because}`);
  }
  lines.push(`  row       ${provenance.place}`, `  document  ${provenance.document}`);
  for (const [index, { kind, fate, why }] of candidates.entries()) {
    const title = index === 0 ? 'keys' : '';
    lines.push(`  ${title.padEnd(8)}  ${kind.padEnd(9)}  ${fate.padEnd(6)}  ${why}`);
  }
  return lines;
}

/** What an outcome means, in a sentence's worth of words. */
export function outcomeInWords(outcome: EncryptionRow['outcome']): string {
  if (outcome === 'none') return 'not encrypted';
  if (outcome === 'na') return 'refused';
  const priority = PRIORITIES.find(({ kind }) => kind === outcome);
  invariant(priority !== undefined, `the outcome ${outcome} is a key`);
  return `encrypted by ${priority.name}`;
}

function inWords(question: EncryptionQuestion): string {
  const { ruleSet, resource, action, source, encrypted, key, disk } = question;
  const parameters = [
    ...(encrypted === 'absent' ? [] : [`Encrypted=${encrypted}`]),
    ...(key ? ['KMSKeyId given'] : []),
    ...(disk === undefined ? [] : [`${disk.use} disk ${disk.category}`]),
    `default encryption ${question.default ? 'on' : 'off'}`,
    `rule set ${ruleSet}`,
  ];
  return `${resource} ${action}, source ${source}: ${parameters.join(', ')}`;
}

function entryOf(cell: Cell, row: EncryptionRow): TableEntry {
  const { ruleSet, outcome, code, because, document, place } = row;
  return { ...cell, outcome, code, because, document, place, ruleSet };
}
