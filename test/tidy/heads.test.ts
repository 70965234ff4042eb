/** Every source file begins by saying what it is. */
import { describe, expect, test } from 'vitest';
import { loadTree, type Problem, render, type SourceTree, virtualTree } from './tree.ts';

const SOURCE = /^(src|workers|bench)\//;

/** Files that do not begin with a block comment of a sentence or more. */
function headProblems(tree: SourceTree): Problem[] {
  return tree.paths
    .filter((path) => SOURCE.test(path) && !hasHead(tree.text(path)))
    .map((file) => ({ file, line: 1, message: 'must begin with a block comment: what it is' }));
}

function hasHead(text: string): boolean {
  const head = /^(?:#!.*\n)?\/\*\*?([\s\S]*?)\*\//.exec(text)?.[1];
  if (head === undefined) return false;
  const prose = head.replace(/^\s*\* ?/gm, '').trim();
  const sentence = /^[\s\S]*?\.(?=\s|$)/.exec(prose)?.[0] ?? '';
  return sentence.split(/\s+/).length >= 3;
}

describe('file heads', () => {
  test('are there', () => {
    expect(render(headProblems(loadTree()))).toEqual([]);
  });

  test.each([
    ['nothing', "import x from 'y';"],
    ['a line comment', '// What it is, in a sentence.\n'],
    ['a word', '/** Things. */'],
    ['a licence mark without a sentence', '/* SPDX Apache-2.0 */'],
    ['a comment that comes later', 'const x = 1;\n/** What it is, in a sentence. */'],
  ])('%s is not a head', (_, text) => {
    expect(headProblems(virtualTree({ 'src/x.ts': text }))).toHaveLength(1);
  });

  test('a sentence is one, also below the line that starts a program', () => {
    const head = '/**\n * What it is, in a sentence.\n */\n';
    const tree = virtualTree({ 'src/x.ts': head, 'src/cli/y.ts': `#!/usr/bin/env node\n${head}` });
    expect(headProblems(tree)).toEqual([]);
  });
});
