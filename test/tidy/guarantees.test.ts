/**
 * The contract, the guarantees and the bounds name tests: these tests exist, and every line names
 * one.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { ROOT, walk } from './tree.ts';

const CONTRACT = Array.from({ length: 10 }, (_, index) => `C${index + 1}`);
const CUSTODY = Array.from({ length: 8 }, (_, index) => `G${index + 1}`);

interface Named {
  readonly file: string;
  readonly title: string;
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** A file in backticks, then part of a title in quotes. */
function testsNamed(text: string): Named[] {
  const pattern = /`(test\/[\w./-]+\.ts)`\s+"([^"]+)"/g;
  return [...text.matchAll(pattern)].map(([, file = '', title = '']) => ({
    file,
    title: title.replace(/\s+/g, ' '),
  }));
}

/** The titles of a file's blocks and tests: every string that is the first argument of a call. */
function titlesOf(source: string): string[] {
  const titles: string[] = [];
  walk(ts.createSourceFile('test.ts', source, ts.ScriptTarget.Latest, true), (node) => {
    if (!ts.isCallExpression(node)) return;
    const [title] = node.arguments;
    if (title === undefined) return;
    if (ts.isStringLiteralLike(title)) titles.push(title.text);
    else if (ts.isTemplateExpression(title)) titles.push(title.getText());
  });
  return titles;
}

function lostTests(text: string): string[] {
  return testsNamed(text)
    .filter(({ file, title }) => {
      if (!existsSync(join(ROOT, file))) return true;
      return !titlesOf(read(file)).some((each) => each.includes(title));
    })
    .map(({ file, title }) => `${file} "${title}"`);
}

/** The part of a document below a heading, up to the next one of its level. */
function section(text: string, heading: string): string {
  const [, after = ''] = text.split(`\n## ${heading}\n`);
  return after.split('\n## ')[0] ?? '';
}

const contract = section(read('README.md'), 'What is promised').split('\nNot promised')[0] ?? '';
const guarantees = read('docs/guarantees.md');

describe('README.md and docs/guarantees.md', () => {
  test('name only tests that exist', () => {
    expect([...lostTests(contract), ...lostTests(guarantees)]).toEqual([]);
  });

  test.each(CONTRACT)('%s is promised, and a test is named', (id) => {
    const lines = contract.split('\n- **').filter((line) => line.startsWith(`${id} `));
    expect(lines).toHaveLength(1);
    expect(testsNamed(lines[0] ?? '').length).toBeGreaterThan(0);
  });

  test.each(CUSTODY)('%s is guaranteed, and a test is named', (id) => {
    const rows = section(guarantees, 'Custody')
      .split('\n')
      .filter((row) => row.startsWith(`| ${id} |`));
    expect(rows).toHaveLength(1);
    expect(testsNamed(rows[0] ?? '').length).toBeGreaterThan(0);
  });

  test('every bound is a limit of src/limits.ts, and has a test', () => {
    const limits = read('src/limits.ts');
    const rows = section(guarantees, 'Bounds')
      .split('\n')
      .filter((row) => row.startsWith('| ') && row.includes('`'));
    expect(rows.length).toBeGreaterThan(15);
    const names = rows.flatMap((row) => row.match(/`[A-Z][A-Z_]+`/g) ?? []);
    const unknown = names.filter((name) => !limits.includes(`const ${name.slice(1, -1)}`));
    expect(unknown).toEqual([]);
    expect(rows.filter((row) => testsNamed(row).length === 0)).toEqual([]);
  });
});

describe('the rule', () => {
  test('finds a test that is not there, and a file that is not', () => {
    const text =
      '`test/gone.test.ts` "x", `test/tidy/guarantees.test.ts` "finds a test that is not there", ' +
      '`test/tidy/guarantees.test.ts`\n  "says something\n  else"';
    const rest = text.replace('says something', 'never says');
    expect(lostTests(rest)).toEqual([
      'test/gone.test.ts "x"',
      'test/tidy/guarantees.test.ts "never says else"',
    ]);
  });
});
