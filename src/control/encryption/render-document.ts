/**
 * docs/encryption-rules.md, made from the tables. Pure. A test holds the file to it.
 */
import { CATEGORY_ROWS } from './categories.ts';
import {
  type Action,
  CELLS,
  type Cell,
  type EncryptionRow,
  type Outcome,
  RESOURCES,
  type Resource,
  RULE_SETS,
  type RuleSet,
  type Source,
} from './cells.ts';
import { encryptionRow, rulesOf } from './decide.ts';
import { documentOf } from './documents.ts';
import { outcomeInWords } from './explain.ts';
import type { Pattern, Provenance } from './pattern.ts';
import { PRIORITIES } from './priorities.ts';
import { EXPLICIT_FALSE_ROWS, REQUEST_ROWS } from './request-rules.ts';
import { SHARING_ROWS } from './sharing.ts';

const HEAD = `# Encryption rules

This page is written by a program, from the tables the plane itself asks:

\`\`\`
npm run build && node dist/src/cli/main.js explain --markdown > docs/encryption-rules.md
\`\`\`

A test compares the two, so what stands here is what happens. \`sealdisk explain\` answers for one
case.

A plane is opened with a rule set, \`2018\`, \`2020\` or \`2025\` (the default): three generations
of one product, each from a document of its own. What a document does not speak of is refused.

Results: \`none\` not encrypted, \`specified\` encrypted by the key the caller gives, \`source\` by
the key of what it is made of, \`default\` by the account's default key for the (destination)
region, \`service\` by the region's service key \`acs/ecs\`. Everything else is a refusal, shown as
its error code. \`encrypt false\` is encryption not selected: the parameter Encrypted left out.
\`shared\` is another account's.
`;

const RESULT_COLUMNS = [
  'default off, no key',
  'default off, key',
  'default on, no key',
  'default on, key',
] as const;

/** The document as Markdown. */
export function renderEncryptionRules(): string {
  const sections = [
    HEAD,
    ...RULE_SETS.toReversed().map(renderRuleSet),
    renderPriorities(),
    renderRows('Parameters', PARAMETERS, REQUEST_ROWS),
    renderRows('An explicit Encrypted=false', EXPLICIT_FALSE, EXPLICIT_FALSE_ROWS),
    renderRows('Disk categories', CATEGORIES, CATEGORY_ROWS),
    renderRows('Sharing and export', SHARING, SHARING_ROWS),
  ];
  return sections.join('\n');
}

function renderRuleSet(ruleSet: RuleSet): string {
  return [
    `## Rule set ${ruleSet}\n`,
    `From: ${documentOf(ruleSet)}.\n`,
    ...RESOURCES.map((resource) => renderResults(ruleSet, resource)),
    `### ${ruleSet}: why\n`,
    table(
      ['about', 'result', 'because', 'place in the document'],
      rulesOf(ruleSet).map((row) => [
        patternInWords(row.where),
        resultOf(row),
        row.because,
        row.place,
      ]),
    ),
  ].join('\n');
}

/** The cells of one resource as the documents show them: four results a line. */
function renderResults(ruleSet: RuleSet, resource: Resource): string {
  const lines = new Map<string, string[]>();
  for (const cell of CELLS.filter((each) => each.resource === resource)) {
    const name = `${howMade(cell.action, cell.encrypt)} | ${cell.source}`;
    const line = lines.get(name) ?? [name];
    line.push(resultOf(encryptionRow(ruleSet, cell)));
    lines.set(name, line);
  }
  const titles = ['how', 'source', ...RESULT_COLUMNS];
  return `### ${ruleSet}: ${resource}s\n\n${table(titles, [...lines.values()])}`;
}

function howMade(action: Action, encrypt: boolean | null): string {
  return encrypt === null ? action : `${action}, encrypt ${encrypt}`;
}

function resultOf(row: Pick<EncryptionRow, 'outcome' | 'code'>): string {
  return row.code === null ? row.outcome : `\`${row.code}\``;
}

function renderPriorities(): string {
  const rows = PRIORITIES.map(({ kind, because, document }, index) => [
    `${index + 1}`,
    outcomeInWords(kind satisfies Outcome),
    because,
    document,
  ]);
  return `## The order of keys\n\n${table(['', 'key', 'because', 'document'], rows)}`;
}

interface RefusingRow extends Provenance {
  readonly where: Pattern<object>;
  readonly code: string | null;
}

const PARAMETERS = 'From the parameters of a call to a line of the tables above.';
const EXPLICIT_FALSE =
  'Encrypted left out takes what the tables say. Encrypted=false refuses to be encrypted.';
const CATEGORIES = 'Asked of a disk that the tables encrypt. A disk in plain is any category’s.';
const SHARING = 'What may be given to another account, or exported, by what it is encrypted by.';

function renderRows(title: string, what: string, rows: readonly RefusingRow[]): string {
  const lines = rows.map((row) => [
    patternInWords(row.where),
    row.code === null ? 'allowed' : `\`${row.code}\``,
    row.because,
    `${row.document}: ${row.place}`,
  ]);
  return `## ${title}\n\n${what}\n\n${table(['about', 'result', 'because', 'from'], lines)}`;
}

/** A pattern field by field; fields it does not list are not said. */
function patternInWords(where: Pattern<Cell> | Pattern<object>): string {
  const fields = Object.entries(where) as [string, readonly (Source | boolean | null)[]][];
  const words = fields.map(([field, values]) => `${field} ${values.join(' or ')}`);
  return words.join(', ') || 'everything';
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = `|${'---|'.repeat(titles.length)}`;
  return `${[line(titles), rule, ...rows.map(line)].join('\n')}\n`;
}
