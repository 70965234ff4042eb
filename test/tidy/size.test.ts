/** Files, functions and lines are short enough to be read at once. */
import { describe, expect, test } from 'vitest';
import { COLUMNS_MAX, FILE_LINES_MAX, FUNCTION_LINES_MAX, sizeProblems } from './size.ts';
import { loadTree, render, virtualTree } from './tree.ts';

function lines(count: number): string {
  return 'x();\n'.repeat(count);
}

function problemsIn(text: string): string[] {
  return render(sizeProblems(virtualTree({ 'src/x.ts': text })));
}

describe('size', () => {
  test('the source keeps to it', () => {
    expect(render(sizeProblems(loadTree()))).toEqual([]);
  });

  test('a file one line too long is found', () => {
    expect(problemsIn(lines(FILE_LINES_MAX))).toEqual([]);
    expect(problemsIn(lines(FILE_LINES_MAX + 1))).toEqual(['src/x.ts:1: 401 lines, at most 400']);
  });

  test.each([
    ['a function', 'function f() {\n', '}'],
    ['a method', 'class C { f() {\n', '}}'],
    ['an arrow function', 'const f = () => {\n', '};'],
    ['a getter', 'const o = { get f() {\n', '}};'],
  ])('%s one line too long is found', (_, head, tail) => {
    expect(problemsIn(`${head}${lines(FUNCTION_LINES_MAX - 2)}${tail}`)).toEqual([]);
    expect(problemsIn(`${head}${lines(FUNCTION_LINES_MAX - 1)}${tail}`)).toHaveLength(1);
  });

  test('a suite is not a function, but a function inside it is', () => {
    const body = lines(FUNCTION_LINES_MAX);
    expect(problemsIn(`describe('x', () => {\n${body}});`)).toEqual([]);
    expect(problemsIn(`test.each([1])('x', () => {\n${body}});`)).toEqual([]);
    expect(problemsIn(`function suite() {\ntest('x', () => {\n${body}});\n}`)).toEqual([]);
    expect(problemsIn(`describe('x', () => {\nfunction f() {\n${body}}});`)).toHaveLength(1);
  });

  test('a line too wide is found, one long word is let be', () => {
    const wide = `// ${'word '.repeat(COLUMNS_MAX / 5)}`;
    expect(problemsIn(`\n${wide}`)).toEqual(['src/x.ts:2: 103 columns, at most 100']);
    expect(problemsIn(`// https://example.com/${'x'.repeat(COLUMNS_MAX)}`)).toEqual([]);
  });
});
