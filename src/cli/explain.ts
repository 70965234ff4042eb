/**
 * `sealdisk explain`: which key, and why. The encryption tables whole, or what one call would be
 * answered: needs no plane. A refusal is an answer too: the exit code is 0. With an id, why a disk
 * or snapshot that is there is encrypted as it is.
 */
import type { EncryptionExplanation, EncryptionQuestion, TableEntry } from '../index.ts';
import { textTable } from '../load/text-table.ts';
import { openExisting } from './data-directory.ts';
import { EXIT, type ExitCode, UsageError } from './exit-codes.ts';
import type { OpenPlane } from './load-targets.ts';
import type { Terminal } from './terminal.ts';

/** What the command asks of the library. */
export type RulesLibrary = Pick<
  typeof import('../index.ts'),
  'DISK_CATEGORIES' | 'explainEncryption' | 'explainTable' | 'renderEncryptionRules'
>;

/** Options as they are written; undefined: not given. */
export interface ExplainFlags {
  readonly table?: boolean;
  readonly markdown?: boolean;
  readonly json?: boolean;
  readonly ruleset?: string;
  readonly resource?: string;
  readonly action?: string;
  readonly source?: string;
  readonly encrypt?: string;
  readonly default?: boolean;
  readonly key?: boolean;
  readonly category?: string;
  readonly use?: string;
  readonly dataDir?: string;
  readonly rootKeyFile?: string;
}

/** Options that say one case; they mean nothing to the whole table. */
const CASE_FLAGS = [
  'resource',
  'action',
  'source',
  'encrypt',
  'default',
  'key',
  'category',
  'use',
] as const;

/** Runs the command. */
export function runExplain(
  flags: ExplainFlags,
  library: RulesLibrary,
  terminal: Terminal,
): ExitCode {
  const given = CASE_FLAGS.filter((name) => flags[name] !== undefined);
  const isWhole = flags.table === true || flags.markdown === true;
  if (isWhole && given.length > 0) {
    throw new UsageError(`the whole table has no --${given[0]}: leave out --table or that`);
  }
  if (flags.markdown === true) {
    if (flags.table === true || flags.json === true || flags.ruleset !== undefined) {
      throw new UsageError('--markdown is all rule sets, and goes with no other option');
    }
    terminal.print(library.renderEncryptionRules());
  } else if (flags.table === true) {
    const entries = library.explainTable(ruleSetOf(flags));
    terminal.print(flags.json === true ? asJson(entries) : asText(entries));
  } else {
    const explanation = library.explainEncryption(questionOf(flags, library));
    const text = `${explanation.lines.join('\n')}\n`;
    terminal.print(flags.json === true ? asJson(documentOf(explanation)) : text);
  }
  return EXIT.ok;
}

/** Why a disk or snapshot of a data directory is encrypted as it is. */
export async function runExplainResource(
  openPlane: OpenPlane,
  id: string,
  flags: ExplainFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const { dataDir } = flags;
  if (dataDir === undefined) throw new UsageError(`explain ${id} needs --data-dir`);
  const asked = CASE_FLAGS.find((name) => flags[name] !== undefined);
  if (asked !== undefined) throw new UsageError(`--${asked} is for a case, not for ${id}`);
  await using plane = await openExisting(openPlane, { ...flags, dataDir });
  const explained = await plane.call('ExplainEncryption', { ResourceId: id });
  terminal.print(flags.json === true ? asJson(explained) : `${explained.Lines.join('\n')}\n`);
  return EXIT.ok;
}

/** One of the values of an option. */
function oneOf<Value extends string>(
  flag: string,
  value: string | undefined,
  values: readonly Value[],
): Value {
  const found = values.find((each) => each === value);
  if (found !== undefined) return found;
  const came = value === undefined ? 'nothing' : `'${value}'`;
  throw new UsageError(`--${flag} is one of ${values.join(', ')}; came ${came}`);
}

function ruleSetOf(flags: ExplainFlags): EncryptionQuestion['ruleSet'] {
  return oneOf('ruleset', flags.ruleset ?? '2025', ['2018', '2020', '2025']);
}

function questionOf(flags: ExplainFlags, library: RulesLibrary): EncryptionQuestion {
  const { resource, source, action = 'create', encrypt = 'absent' } = flags;
  if (resource === undefined && source === undefined) {
    throw new UsageError('explain needs --table, --markdown, --resource and --source, or an id');
  }
  const question: EncryptionQuestion = {
    ruleSet: ruleSetOf(flags),
    resource: oneOf('resource', resource, ['disk', 'snapshot', 'image']),
    action: oneOf('action', action, ['create', 'copy-local', 'copy-cross']),
    source: oneOf('source', source, [
      'empty',
      'plain',
      'encrypted',
      'shared-plain',
      'shared-encrypted',
    ]),
    encrypted: encrypt === 'absent' ? encrypt : oneOf('encrypt', encrypt, ['true', 'false']),
    default: flags.default === true,
    key: flags.key === true,
  };
  if (flags.category === undefined && flags.use === undefined) return question;
  if (question.resource !== 'disk') throw new UsageError('--category and --use are about disks');
  const category = oneOf('category', flags.category, library.DISK_CATEGORIES);
  const use = oneOf('use', flags.use ?? 'data', ['system', 'data']);
  return { ...question, disk: { category, use } };
}

function documentOf({ decision, entry }: EncryptionExplanation): object {
  const { question, outcome, refusal, candidates } = decision;
  return { ...question, outcome, refusal, entry, candidates };
}

function asJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function asText(entries: readonly TableEntry[]): string {
  const titles = ['resource', 'action', 'source', 'encrypt', 'default', 'key', 'outcome', 'why'];
  const rows = entries.map((entry) => [
    entry.resource,
    entry.action,
    entry.source,
    entry.encrypt === null ? '-' : String(entry.encrypt),
    entry.default ? 'on' : 'off',
    entry.key ? 'given' : '-',
    entry.outcome,
    entry.code === null ? entry.because : `${entry.code}: ${entry.because}`,
  ]);
  const columns = titles.map((title) => ({ title, align: 'left' as const }));
  return `${textTable(columns, rows)}\n`;
}
